//! aiosmtpd, a mail server that is not ours, which notices hand mails over to.

use super::modules::Modules;

pub const AIOSMTPD: Modules = Modules {
    package: "aiosmtpd",
    version: "1.4.6",
    wanted: "aiosmtpd==1.4.6 --hash=sha256:72c99179ba5aa9ae0abbda6994668239b64a5ce054471955fe75f581d2592475\n\
             atpublic==9.0.0 --hash=sha256:449c3c4f0c74df79749d6fe225ba55e2a2fce34b303f0329211e4d6989ed6f6e\n\
             attrs==26.1.0 --hash=sha256:c647aa4a12dfbad9333ca4e71fe62ddc36f4e63b2d260a37a8b83d2f043ac309\n",
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_the_one_that_is_wanted() {
        assert!(AIOSMTPD.agrees_with_itself());
    }
}
