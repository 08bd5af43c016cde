//! The types that need not be shown with a secret inside, and why.

/// It is what a server has answered or somebody has published, shown to whoever asked for it.
const ANSWER: &str = "what it shows is an answer, for whoever asked";
/// Keys and ids are in every error and every trace, and so no place for secrets.
const KEYS: &str = "keys and ids of documents, and errors, which are shown by themselves";
/// Names and sizes are in the source, or chosen by whoever runs the program.
const NAMES: &str = "names of models, fields, indexes, migrations, databases";
/// Their own tests see to it, where there is no way to make one from outside.
const INSIDE: &str = "made by this library alone; it shows sizes and names";

/// Why, the module, and the types in it.
pub(crate) const REASONS: &[(&str, &str, &[&str])] = &[
    (ANSWER, "alizarin::index", &["Failures"]),
    (ANSWER, "alizarin::model::document::next", &["Next"]),
    (ANSWER, "alizarin::model::stored", &["StoredValue"]),
    (ANSWER, "alizarin_core::pubsub::stream", &["Delivery", "Message"]),
    (ANSWER, "alizarin_core::resp::reader", &["Frame", "Reader"]),
    (ANSWER, "alizarin_core::resp::reply", &["Verbatim"]),
    (ANSWER, "alizarin_core::resp::value", &["Value"]),
    (ANSWER, "alizarin_testkit::error", &["Error"]),
    (ANSWER, "alizarin_testkit::mock::reply", &["MockReply"]),
    (KEYS, "alizarin::events::change", &["Change"]),
    (KEYS, "alizarin::migrate::report", &["Failure", "MigrationProgress", "Outcome"]),
    (KEYS, "alizarin::repository::referrers", &["Deletion"]),
    (KEYS, "alizarin::repository::transaction::step", &["About"]),
    (KEYS, "alizarin::repository::unique::repair", &["Duplicate", "UniqueReport"]),
    (KEYS, "alizarin::series::across", &["LabelledSamples"]),
    (KEYS, "alizarin::series::write", &["Added", "Rejected"]),
    (KEYS, "alizarin::streams::consumer", &["Claimed"]),
    (KEYS, "alizarin_core::error", &["FailedStep", "Referrers"]),
    (NAMES, "alizarin::index::adopt", &["Adoption"]),
    (NAMES, "alizarin::index::drift", &["Drift"]),
    (NAMES, "alizarin::index::info", &["AttributeInfo", "IndexInfo"]),
    (NAMES, "alizarin::index::managed", &["Managed"]),
    (NAMES, "alizarin::index::plan", &["Action", "Plan"]),
    (NAMES, "alizarin::index::sync", &["SyncProgress", "Synced"]),
    (NAMES, "alizarin::index::versions", &["Version"]),
    (NAMES, "alizarin::model::projection::column", &["Column", "Path", "StructColumn"]),
    (NAMES, "alizarin::model::projection::shape", &["Shape"]),
    (NAMES, "alizarin::query::reduce", &["GroupColumn"]),
    (NAMES, "alizarin::repository::referrers::rule", &["Rule"]),
    (NAMES, "alizarin_core::config::cluster", &["ReadFrom"]),
    (NAMES, "alizarin_core::multi::switch", &["Switch"]),
    (INSIDE, "alizarin::query::filter", &["BoxedNode"]),
    (INSIDE, "alizarin::query::raw", &["Raw"]),
    (INSIDE, "alizarin::query::writer", &["QueryWriter"]),
    (INSIDE, "alizarin::repository::bulk::page", &["Job"]),
    (INSIDE, "alizarin::repository::bulk::set_many", &["SetMany"]),
    (INSIDE, "alizarin_core::connection::outbox", &["Wire"]),
    (INSIDE, "alizarin_core::credentials", &["Renewals"]),
    (INSIDE, "alizarin_core::resp::pieces", &["View"]),
];
