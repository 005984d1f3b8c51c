//! DEFLATE as RFC 1951 tells it, in the most obvious code: bit by bit, no tables to look codes up in.

/// All that has been inflated, and how far back it referred.
#[derive(Clone, Default)]
pub struct Puff {
    history: Vec<u8>,
    /// The longest distance so far.
    pub distance: usize,
    /// How many final blocks a message may have, if that is bounded.
    pub most_finals: Option<u64>,
}

/// Why there is no more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Whatever follows, this is no DEFLATE data.
    Invalid,
    /// The data ends too early.
    Short,
    /// There are more final blocks than may be.
    Finals,
}

struct Bits<'d> {
    data: &'d [u8],
    at: usize,
}

impl Bits<'_> {
    fn bit(&mut self) -> Result<usize, Fault> {
        let octet = self.data.get(self.at / 8).ok_or(Fault::Short)?;
        let bit = octet >> (self.at % 8) & 1;
        self.at += 1;
        Ok(bit.into())
    }

    /// A number, its lowest bit first.
    fn number(&mut self, bits: usize) -> Result<usize, Fault> {
        let mut number = 0;
        for i in 0..bits {
            number |= self.bit()? << i;
        }
        Ok(number)
    }

    fn align(&mut self) {
        self.at = self.at.next_multiple_of(8);
    }
}

/// A code of §3.2.2: for each length from 1 to 15, the symbols whose code is so long, in order.
struct Code(Vec<Vec<usize>>);

impl Code {
    /// From the length of the code of each symbol, 0 for none.
    fn new(lens: &[usize]) -> Self {
        let of_len = |len| (0..lens.len()).filter(|symbol| lens[*symbol] == len).collect();
        Self((1..=15).map(of_len).collect())
    }

    /// §3.2.2: shorter codes come first, then lower symbols; read bit by bit, highest first.
    fn symbol(&self, bits: &mut Bits<'_>) -> Result<usize, Fault> {
        let (mut code, mut first) = (0, 0);
        for (i, symbols) in self.0.iter().enumerate() {
            if i > 0 && self.0[i..].iter().all(Vec::is_empty) {
                return Err(Fault::Invalid); // no code is so long
            }
            code = code << 1 | bits.bit()?;
            if let Some(symbol) = symbols.get(code - first) {
                return Ok(*symbol);
            }
            first = (first + symbols.len()) << 1;
        }
        Err(Fault::Invalid)
    }

    /// Not more codes than there is room for; and not fewer, but for none at all, and for a single one where that may
    /// be (as zlib has it).
    fn check(self, may_be_incomplete: bool) -> Result<Self, Fault> {
        let used: usize = self.0.iter().map(Vec::len).sum();
        let room: usize = (1..).zip(&self.0).map(|(len, symbols)| symbols.len() << (15 - len)).sum();
        let is_complete = room == 1 << 15;
        let is_single = used == 1 && room == 1 << 14;
        match is_complete || used == 0 || (may_be_incomplete && is_single) {
            true => Ok(self),
            false => Err(Fault::Invalid),
        }
    }
}

impl Puff {
    /// Begins anew, as without context takeover.
    pub fn clear(&mut self) {
        self.history.clear();
    }

    /// A message of permessage-deflate: its payload, to which the tail that was cut off is added (RFC 7692 §7.2.2).
    /// Data that ends with a final block needs no tail. Where nothing follows, as without context takeover, bits may be
    /// left in its last octet.
    pub fn message(&mut self, payload: &[u8], takeover: bool) -> Result<Vec<u8>, Fault> {
        let begin = self.history.len();
        self.blocks(payload, b"\x00\x00\xff\xff", !takeover)?;
        Ok(self.history[begin..].to_vec())
    }

    /// As much of a message as follows from the first octets of its payload, and what is wrong, if something is.
    pub fn inflate(&mut self, payload: &[u8]) -> (Vec<u8>, Result<(), Fault>) {
        let begin = self.history.len();
        let outcome = self.blocks(payload, b"", false);
        (self.history[begin..].to_vec(), outcome)
    }

    fn blocks(&mut self, payload: &[u8], tail: &[u8], is_last: bool) -> Result<(), Fault> {
        let data = [payload, tail].concat();
        let mut bits = Bits { data: &data, at: 0 };
        if payload.is_empty() {
            return Err(Fault::Short);
        }
        let mut finals = 0;
        loop {
            let is_final = self.block(&mut bits)?;
            finals += u64::from(is_final);
            if self.most_finals.is_some_and(|most| finals > most) {
                return Err(Fault::Finals);
            }
            let is_in_last_octet = bits.at > (data.len() - 1) * 8;
            if is_final || (is_last && is_in_last_octet) {
                bits.align();
            }
            if bits.at == data.len() * 8 || (is_final && bits.at == payload.len() * 8) {
                return Ok(());
            }
        }
    }

    fn block(&mut self, bits: &mut Bits<'_>) -> Result<bool, Fault> {
        let is_final = bits.bit()? == 1;
        match bits.number(2)? {
            0 => {
                bits.align();
                let (len, complement) = (bits.number(16)?, bits.number(16)?);
                if len != complement ^ 0xFFFF {
                    return Err(Fault::Invalid);
                }
                for _ in 0..len {
                    let octet = bits.number(8)?;
                    self.history.push(u8::try_from(octet).unwrap());
                }
            }
            1 => {
                let lens = (0..288).map(|symbol| match symbol {
                    144..=255 => 9,
                    256..=279 => 7,
                    _ => 8,
                });
                self.symbols(bits, &Code::new(&lens.collect::<Vec<_>>()), &Code::new(&[5; 32]))?;
            }
            2 => {
                let (literals, distances) = dynamic(bits)?;
                self.symbols(bits, &literals, &distances)?;
            }
            _ => return Err(Fault::Invalid),
        }
        Ok(is_final)
    }

    fn symbols(&mut self, bits: &mut Bits<'_>, literals: &Code, distances: &Code) -> Result<(), Fault> {
        loop {
            match literals.symbol(bits)? {
                literal @ 0..=255 => self.history.push(u8::try_from(literal).unwrap()),
                256 => return Ok(()),
                symbol @ 257..=285 => {
                    let (base, extra) = LENGTHS[symbol - 257];
                    let len = base + bits.number(extra)?;
                    let (base, extra) = *DISTANCES.get(distances.symbol(bits)?).ok_or(Fault::Invalid)?;
                    let distance = base + bits.number(extra)?;
                    let from = self.history.len().checked_sub(distance).ok_or(Fault::Invalid)?;
                    self.distance = self.distance.max(distance);
                    for i in 0..len {
                        self.history.push(self.history[from + i]);
                    }
                }
                _ => return Err(Fault::Invalid),
            }
        }
    }
}

/// The codes of §3.2.7.
fn dynamic(bits: &mut Bits<'_>) -> Result<(Code, Code), Fault> {
    let (literals, distances, lens) = (bits.number(5)? + 257, bits.number(5)? + 1, bits.number(4)? + 4);
    if literals > 286 || distances > 30 {
        return Err(Fault::Invalid);
    }
    let mut code = vec![0; 19];
    for symbol in &[16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15][..lens] {
        code[*symbol] = bits.number(3)?;
    }
    let code = Code::new(&code).check(false)?;
    let mut lens = Vec::new();
    while lens.len() < literals + distances {
        // without codes, zlib reads a length of 0 from each bit, and finds out only then
        let symbol = if code.0.iter().all(Vec::is_empty) { bits.bit().map(|_| 0)? } else { code.symbol(bits)? };
        let (len, times) = match symbol {
            16 => {
                let times = 3 + bits.number(2)?;
                (*lens.last().ok_or(Fault::Invalid)?, times)
            }
            17 => (0, 3 + bits.number(3)?),
            18 => (0, 11 + bits.number(7)?),
            len => (len, 1),
        };
        lens.extend(vec![len; times]);
    }
    if lens.len() > literals + distances || lens[256] == 0 {
        return Err(Fault::Invalid);
    }
    let distances = lens.split_off(literals);
    Ok((Code::new(&lens).check(true)?, Code::new(&distances).check(true)?))
}

/// The first length of each code from 257 on, and how many bits more.
const LENGTHS: [(usize, usize); 29] = [
    (3, 0),
    (4, 0),
    (5, 0),
    (6, 0),
    (7, 0),
    (8, 0),
    (9, 0),
    (10, 0),
    (11, 1),
    (13, 1),
    (15, 1),
    (17, 1),
    (19, 2),
    (23, 2),
    (27, 2),
    (31, 2),
    (35, 3),
    (43, 3),
    (51, 3),
    (59, 3),
    (67, 4),
    (83, 4),
    (99, 4),
    (115, 4),
    (131, 5),
    (163, 5),
    (195, 5),
    (227, 5),
    (258, 0),
];

/// The first distance of each code, and how many bits more.
const DISTANCES: [(usize, usize); 30] = [
    (1, 0),
    (2, 0),
    (3, 0),
    (4, 0),
    (5, 1),
    (7, 1),
    (9, 2),
    (13, 2),
    (17, 3),
    (25, 3),
    (33, 4),
    (49, 4),
    (65, 5),
    (97, 5),
    (129, 6),
    (193, 6),
    (257, 7),
    (385, 7),
    (513, 8),
    (769, 8),
    (1025, 9),
    (1537, 9),
    (2049, 10),
    (3073, 10),
    (4097, 11),
    (6145, 11),
    (8193, 12),
    (12289, 12),
    (16385, 13),
    (24577, 13),
];
