use std::str::FromStr;

/// `K/N`: the K-th of N parts of the selection, counted from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shard {
    pub index: u32,
    pub count: u32,
}

impl FromStr for Shard {
    type Err = String;

    fn from_str(text: &str) -> Result<Shard, String> {
        let parts = text
            .split_once('/')
            .and_then(|(k, n)| Some((k.parse().ok()?, n.parse().ok()?)));
        match parts {
            Some((index, count)) if 1 <= index && index <= count => Ok(Shard { index, count }),
            Some((index, count)) => Err(format!(
                "shard {index} of {count} does not exist; the first is 1/{count}"
            )),
            None => Err("expected K/N, like 2/5".to_owned()),
        }
    }
}

/// Seconds, or a number with `ms`, `s`, `m` or `h`.
pub fn duration(text: &str) -> Result<std::time::Duration, String> {
    let wrong =
        || format!("`{text}` is no duration; expected seconds, or a number with ms, s, m or h");
    let digits = text
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let seconds = match unit.trim() {
        "" | "s" => 1.0,
        "ms" => 0.001,
        "m" | "min" => 60.0,
        "h" => 3600.0,
        _ => return Err(wrong()),
    };
    let number: f64 = number.parse().map_err(|_| wrong())?;
    std::time::Duration::try_from_secs_f64(number * seconds).map_err(|_| wrong())
}

/// A factor above 0 and at most 1000.
pub fn scale(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(n) if n > 0.0 && n <= 1000.0 => Ok(n),
        _ => Err("expected a number above 0 and at most 1000, like 0.1".to_owned()),
    }
}

/// 0 to 100, with or without `%`.
pub fn percent(text: &str) -> Result<f64, String> {
    match text.trim_end_matches('%').parse::<f64>() {
        Ok(n) if (0.0..=100.0).contains(&n) => Ok(n),
        _ => Err("expected a percentage from 0 to 100".to_owned()),
    }
}

/// A command of the chat protocol, with or without `cmd:`.
pub fn command(text: &str) -> Result<String, String> {
    let id = match text.strip_prefix("cmd:") {
        Some(_) => text.to_owned(),
        None => format!("cmd:{text}"),
    };
    match xccos::server::command(&id) {
        Some(row) => Ok(row.id.to_owned()),
        None => Err(format!("`{id}` is no command of the chat protocol")),
    }
}

/// `host:port`; the host may be a name, an IPv4 or a bracketed IPv6 address.
pub fn address(text: &str) -> Result<String, String> {
    let wrong = || format!("`{text}` is no address; expected host:port, like 127.0.0.1:5061");
    let (host, port) = text.rsplit_once(':').ok_or_else(wrong)?;
    let plain = !host.contains(':') || (host.starts_with('[') && host.ends_with(']'));
    if host.is_empty() || !plain || port.parse::<u16>().is_err() {
        return Err(wrong());
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn forms() {
        assert_eq!("2/5".parse(), Ok(Shard { index: 2, count: 5 }));
        for bad in ["0/5", "6/5", "2", "a/b", "/", "1/0"] {
            assert!(bad.parse::<Shard>().is_err(), "{bad}");
        }
        assert_eq!(duration("250ms"), Ok(Duration::from_millis(250)));
        assert_eq!(duration("1.5"), Ok(Duration::from_millis(1500)));
        assert_eq!(duration("2m"), Ok(Duration::from_secs(120)));
        for bad in ["", "x", "-1", "1d", "1e400s", "99999999999999999999999h"] {
            assert!(duration(bad).is_err(), "{bad}");
        }
        assert!(address("[::1]:0").is_ok() && address("chat.example.com:5061").is_ok());
        for bad in ["", "5061", "::1:5061", ":5061", "host:", "host:99999"] {
            assert!(address(bad).is_err(), "{bad}");
        }
        assert_eq!(command("join"), command("cmd:join"));
        assert!(command("cmd:frob").is_err());
        assert!(scale("0").is_err() && scale("NaN").is_err() && scale("0.25").is_ok());
        assert!(percent("101").is_err() && percent("95%").is_ok());
    }
}
