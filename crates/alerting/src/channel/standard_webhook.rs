//! Signatures as the Standard Webhooks specification describes them: HMAC-SHA256 over `ID.TIMESTAMP.BODY`.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretSlice, SecretString};
use sha2::Sha256;

/// What the secret begins with.
const PREFIX: &str = "whsec_";

/// The key in bytes. The specification wants 24 to 64 of them.
///
/// # Errors
/// What is wrong with the secret, as the end of a sentence; the secret is not repeated.
pub(super) fn key_of(secret: &SecretString) -> Result<SecretSlice<u8>, &'static str> {
    const WRONG: &str =
        "must be `whsec_` and 24 to 64 bytes in Base64; make one with `echo whsec_$(openssl rand -base64 32)`";
    let text = secret.expose_secret().trim();
    let key = text.strip_prefix(PREFIX).and_then(|rest| STANDARD.decode(rest).ok());
    key.filter(|key| (24..=64).contains(&key.len())).map(SecretSlice::from).ok_or(WRONG)
}

/// The header `webhook-signature`.
pub(super) fn signature(key: &[u8], id: &str, timestamp: i64, body: &str) -> String {
    // HMAC takes keys of every length
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else { return String::new() };
    mac.update(format!("{id}.{timestamp}.{body}").as_bytes());
    format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the specification's own libraries.
    #[test]
    fn signs_like_the_vector_of_the_specification() {
        let secret = SecretString::from("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
        let key = key_of(&secret).unwrap();
        let signature =
            signature(key.expose_secret(), "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, r#"{"test": 2432232314}"#);
        assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn secrets_of_another_form_are_refused_and_not_repeated() {
        for text in ["", "whsec_", "whsec_c2hvcnQ=", "whsec_?", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"] {
            let message = key_of(&SecretString::from(text)).unwrap_err();
            assert!(message.contains("openssl") && (text.len() < 7 || !message.contains(text)), "{text}");
        }
    }
}
