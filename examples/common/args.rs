//! The few flags of the programs: `--name`, `--name value`, some of them repeated, and positional arguments.

use std::process;

/// The arguments that were given, taken off one by one.
pub struct Args {
    left: Vec<String>,
    usage: &'static str,
}

impl Args {
    /// The program's own arguments; with `--help` among them, prints the usage and ends the program.
    pub fn new(usage: &'static str) -> Self {
        let mut left = Vec::new();
        for arg in std::env::args_os().skip(1) {
            match arg.into_string() {
                // `--name=value` is as good as `--name value`
                Ok(arg) if arg.starts_with("--") => left.extend(arg.splitn(2, '=').map(str::to_owned)),
                Ok(arg) => left.push(arg),
                Err(arg) => Self { left, usage }.fail(&format!("{} is not UTF-8", arg.display())),
            }
        }
        if left.iter().any(|arg| arg == "--help" || arg == "-h") {
            print!("{usage}");
            process::exit(0);
        }
        Self { left, usage }
    }

    /// Whether a flag without a value is given.
    pub fn flag(&mut self, flag: &str) -> bool {
        let before = self.left.len();
        self.left.retain(|arg| arg != flag);
        self.left.len() < before
    }

    /// All values that were given for a flag.
    pub fn values(&mut self, flag: &str) -> Vec<String> {
        let mut values = Vec::new();
        while let Some(at) = self.left.iter().position(|arg| arg == flag) {
            self.left.remove(at);
            if at == self.left.len() {
                self.fail(&format!("{flag} wants a value"));
            }
            values.push(self.left.remove(at));
        }
        values
    }

    /// The value of a flag that is given at most once, as what it is to mean.
    pub fn value<T: std::str::FromStr>(&mut self, flag: &str, default: T) -> T {
        match &self.values(flag)[..] {
            [] => default,
            [value] => value.parse().unwrap_or_else(|_| self.fail(&format!("{flag} cannot be {value:?}"))),
            _ => self.fail(&format!("{flag} is given twice")),
        }
    }

    /// What is left: exactly these positional arguments.
    pub fn positional<const N: usize>(self) -> [String; N] {
        if let Some(flag) = self.left.iter().find(|arg| arg.starts_with('-')) {
            self.fail(&format!("there is no flag {flag}"));
        }
        match self.left.clone().try_into() {
            Ok(positional) => positional,
            Err(_) => self.fail(&format!("expected {N} arguments besides the flags, got {}", self.left.len())),
        }
    }

    /// Says what is wrong with the arguments, and ends the program with status 64.
    pub fn fail(&self, why: &str) -> ! {
        eprintln!("{why}\n\n{}", self.usage);
        process::exit(64)
    }
}
