//! Definitions, changed at random.

use quintet_fuzz::{Target, skeleton};

use crate::read::{is_a_sentence, read};

#[test]
fn any_definition_is_read_or_refused_with_a_sentence() {
    let target = Target::new("definitions").with_inputs(4000);
    target.run(|input| {
        let text = String::from_utf8_lossy(input);
        match read(&text) {
            // What an insight is made of, without what it is called.
            Ok(insight) => skeleton(&insight.replace(['{', '[', '('], "")),
            Err(error) => {
                is_a_sentence(&error);
                skeleton(&error.to_string())
            }
        }
    });
}
