/*! Addresses of the room management page: [MS-OCGCWEB].

Takes the base address, the language and perhaps a room; gives what a browser
opens. Nothing is fetched here.
*/

/// `base` with the parameters of 2.2.1 (no room) or 2.2.2 appended to what it has (3.1.5).
///
/// `lang` is brought to the form `en-US`; it fails, with the text refused, when it is no language-region pair.
pub fn url(base: &str, room_guid: Option<&str>, lang: &str) -> Result<String, String> {
    let lang = language(lang).ok_or_else(|| format!("{lang:?} is no pair like en-US"))?;
    let (address, fragment) = match base.split_once('#') {
        Some((address, fragment)) => (address, Some(fragment)),
        None => (base, None),
    };
    let mut url = address.to_owned();
    url.push_str(match address.split_once('?') {
        None => "?",
        Some((_, "")) => "",
        Some((_, query)) if query.ends_with('&') => "",
        Some(_) => "&",
    });
    url.push_str("clientlang=");
    url.push_str(&lang);
    if let Some(guid) = room_guid {
        url.push_str("&id=");
        url.push_str(guid);
    }
    if let Some(fragment) = fragment {
        url.push('#');
        url.push_str(fragment);
    }
    Ok(url)
}

fn language(text: &str) -> Option<String> {
    let (language, region) = text.trim().split_once(['-', '_'])?;
    let letters = |s: &str, from: usize, to: usize| {
        (from..=to).contains(&s.len()) && s.bytes().all(|b| b.is_ascii_alphabetic())
    };
    (letters(language, 2, 3) && letters(region, 2, 3)).then(|| {
        format!(
            "{}-{}",
            language.to_ascii_lowercase(),
            region.to_ascii_uppercase()
        )
    })
}

#[cfg(test)]
mod tests {
    use super::url;

    #[test]
    fn addresses() {
        let guid = "61E092C7-89BB-4DC4-A3F5-8C23FA940FAB";
        for (base, room, lang, expect) in [
            (
                "http://example.com/rm/",
                None,
                "en-US",
                Ok("http://example.com/rm/?clientlang=en-US"),
            ),
            (
                "http://example.com/rm/",
                Some(guid),
                "de-DE",
                Ok(
                    "http://example.com/rm/?clientlang=de-DE&id=61E092C7-89BB-4DC4-A3F5-8C23FA940FAB",
                ),
            ),
            (
                "http://example.com/rm/?extensionparam=value",
                None,
                "en-US",
                Ok("http://example.com/rm/?extensionparam=value&clientlang=en-US"),
            ),
            (
                "https://h/?",
                None,
                "EN-us",
                Ok("https://h/?clientlang=en-US"),
            ),
            (
                "https://h/?a=b&",
                None,
                "fr_CA",
                Ok("https://h/?a=b&clientlang=fr-CA"),
            ),
            (
                "https://h/p?a=b#top",
                Some("g"),
                "en-US",
                Ok("https://h/p?a=b&clientlang=en-US&id=g#top"),
            ),
            ("https://h/", None, "english", Err(())),
            ("https://h/", None, "e1-US", Err(())),
        ] {
            assert_eq!(
                url(base, room, lang).as_deref().map_err(|_| ()),
                expect,
                "{base} {lang}"
            );
        }
    }
}
