# Owns one server for as long as its pipe, standard input, is open; then kills it and removes its
# folder. So the server ends with its test process, whichever way that dies.
#
# $1 the server's folder; $2 the container engine, or nothing; $3 the container's name;
# the rest is the server's command. It takes one order a line and answers with one line.

trap '' HUP INT QUIT TERM PIPE
folder=$1 engine=$2 container=$3
shift 3
pid=

stop() {
    [ -n "$pid" ] || return 0
    if [ -n "$engine" ]; then
        # a second try: the engine may still have been creating the container
        "$engine" rm --force "$container" || { sleep 1; "$engine" rm --force "$container"; }
    fi >/dev/null
    kill -KILL "$pid"
    wait "$pid"
    pid=
}

signal() {
    if [ -n "$engine" ]; then
        "$engine" "$2" "$container" >/dev/null
    else
        kill "-$1" "$pid"
    fi
}

while read -r order; do
    case $order in
    start)
        "$@" </dev/null >>"$folder/output" 2>&1 &
        pid=$!
        echo "$pid"
        ;;
    stop) stop; echo stopped ;;
    pause) signal STOP pause && echo paused || echo failed ;;
    resume) signal CONT unpause && echo resumed || echo failed ;;
    esac
done

stop
[ -z "$folder" ] || rm -rf "$folder"
