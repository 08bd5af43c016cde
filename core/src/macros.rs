//! For this crate's own examples.

/// Runs an example's body with a client of a private server.
#[doc(hidden)]
#[macro_export]
macro_rules! __example {
    ($client:ident => $body:block) => {{
        let run = || -> ::std::result::Result<(), ::std::boxed::Box<dyn ::std::error::Error>> {
            let server = ::alizarin_testkit::Server::start()?;
            let runtime = ::tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
            runtime.block_on(async {
                let $client = $crate::Client::connect(server.url().as_str()).await?;
                let () = $body;
                ::std::result::Result::Ok(())
            })
        };
        run().unwrap();
    }};
}
