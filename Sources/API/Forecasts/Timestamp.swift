import HTTPCore

/// A date, or a date and a time of day, as in RFC 3339 §5.6 and ISO 8601, and as libraries write them: a space for the
/// T (Python's `str`), no seconds where they are zero (Java's `OffsetDateTime`), offsets as +0300 and +03, the basic
/// form 20240101T000000Z, a zone's name in brackets after the offset (Java's `ZonedDateTime`, RFC 9557).
///
/// `description` writes it in RFC 3339's form. A date alone stays one; the offset and the fraction are kept. A zone's
/// name is dropped, as the offset holds for the whole series.
struct Timestamp: Equatable, Sendable, CustomStringConvertible {
  private var date: CivilDate
  /// Nil for a date alone, which stands for its midnight.
  private var secondOfDay: Int?
  /// The fraction of a second, with its point: `.25`.
  private var fraction = ""
  /// `Z`, `+02:00`, or empty where none is given. The offset holds for the whole series, so arithmetic ignores it.
  private var offset = ""

  /// Parses `text`; nil where it is no timestamp. A leap second, 23:59:60 in UTC on the last day of June or December
  /// (all known ones are on these days, RFC 3339 §5.7 and appendix D), becomes the first second of the next day, as in
  /// POSIX. Any year is accepted for it, since future leap seconds are not known.
  init?(_ text: String) {
    var reader = Reader(rest: Array(text.utf8)[...])
    guard let year = reader.number(digits: 4) else { return nil }
    let isExtended = reader.skip("-")
    guard let month = reader.number(digits: 2), !isExtended || reader.skip("-"),
      let day = reader.number(digits: 2),
      let date = CivilDate(year: year, month: month, day: day)
    else { return nil }
    self.date = date
    guard !reader.rest.isEmpty else { return }
    guard reader.skip("T") || reader.skip("t") || reader.skip(" "),
      let hour = reader.number(digits: 2, below: 24), !isExtended || reader.skip(":"),
      let minute = reader.number(digits: 2, below: 60)
    else { return nil }
    var second = 0
    if isExtended ? reader.skip(":") : reader.isAtDigit {
      guard let number = reader.number(digits: 2, below: 61) else { return nil }
      second = number
      if reader.skip(".") || reader.skip(",") {
        let digits = reader.digits()
        guard !digits.isEmpty else { return nil }
        fraction = "." + digits
      }
    }
    let secondOfDay = 3600 * hour + 60 * minute + second
    guard let (offset, secondsEast) = reader.offset(), reader.rest.isEmpty else { return nil }
    self.offset = offset
    guard second == 60 else {
      self.secondOfDay = secondOfDay
      return
    }
    let next = CivilTime.secondsPerDay * date.dayNumber + secondOfDay
    let (dayInUTC, secondInUTC) = (next - secondsEast).quotientAndRemainder(
      dividingBy: CivilTime.secondsPerDay)
    let following = CivilDate(dayNumber: dayInUTC)
    guard secondInUTC == 0, following.day == 1, [1, 7].contains(following.month) else {
      return nil
    }
    self.date = CivilDate(dayNumber: next / CivilTime.secondsPerDay)
    self.secondOfDay = next % CivilTime.secondsPerDay
  }

  /// The timestamp `count` steps later; nil after the year 9999, which can't be written.
  ///
  /// All months are added at once, as in KServe (`FREQUENCY_MAP`, in the file that `Frequency` names): two months after
  /// 31 January is 31 March, although one month after it is the end of February.
  func advanced(by count: Int, _ frequency: Frequency) -> Timestamp? {
    var result = self
    switch frequency.step {
    case .seconds(let seconds):
      let (days, second) = ((secondOfDay ?? 0) + count * seconds)
        .quotientAndRemainder(dividingBy: CivilTime.secondsPerDay)
      result.date = CivilDate(dayNumber: date.dayNumber + days)
      result.secondOfDay = second
    case .days(let days): result.date = CivilDate(dayNumber: date.dayNumber + count * days)
    case .months(let months): result.date = date.adding(months: count * months)
    }
    return result.date.year <= 9999 ? result : nil
  }

  /// The timestamp in RFC 3339's form, or ISO 8601's where it has no offset.
  var description: String {
    let day = "\(date.year.padded(4))-\(date.month.padded())-\(date.day.padded())"
    guard let secondOfDay else { return day }
    let (hour, minute, second) = (secondOfDay / 3600, secondOfDay / 60 % 60, secondOfDay % 60)
    return "\(day)T\(hour.padded()):\(minute.padded()):\(second.padded())\(fraction)\(offset)"
  }
}

/// Parses a text from its start; what does not match is not consumed.
private struct Reader {
  var rest: ArraySlice<UInt8>

  /// Consumes `character` if it is next; returns whether it was.
  mutating func skip(_ character: Unicode.Scalar) -> Bool {
    guard rest.first == UInt8(ascii: character) else { return false }
    rest.removeFirst()
    return true
  }

  var isAtDigit: Bool { rest.first.map { (0x30...0x39).contains($0) } ?? false }

  /// Parses what follows a time of day: `Z`, `+02:00`, or nothing. Returns it as RFC 3339 writes it, and the seconds
  /// east of UTC; nil where it is malformed.
  mutating func offset() -> (text: String, secondsEast: Int)? {
    var (offset, secondsEast) = ("", 0)
    if skip("Z") || skip("z") {
      offset = "Z"
    } else if let sign = skip("+") ? "+" : skip("-") ? "-" : nil {
      guard let hours = number(digits: 2, below: 24) else { return nil }
      var minutes = 0
      if skip(":") || isAtDigit {
        guard let number = number(digits: 2, below: 60) else { return nil }
        minutes = number
      }
      offset = "\(sign)\(hours.padded()):\(minutes.padded())"
      secondsEast = (sign == "+" ? 60 : -60) * (60 * hours + minutes)
    }
    // RFC 9557 §4.1: the name of a time zone.
    if !offset.isEmpty, skip("[") {
      let name = rest.prefix { $0 != UInt8(ascii: "]") }
      guard !name.isEmpty, name.allSatisfy({ (0x21...0x7E).contains($0) && $0 != 0x5B }) else {
        return nil
      }
      rest.removeFirst(name.count)
      guard skip("]") else { return nil }
    }
    return (offset, secondsEast)
  }

  /// Consumes all digits at the start, which may be none.
  mutating func digits() -> String {
    let digits = rest.prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
    rest.removeFirst(digits.count)
    return String(decoding: digits, as: UTF8.self)
  }

  /// Consumes a number of exactly `count` digits; nil where there are fewer, or where it is not below `limit`.
  mutating func number(digits count: Int, below limit: Int = .max) -> Int? {
    var number = 0
    guard rest.count >= count else { return nil }
    for byte in rest.prefix(count) {
      guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) else { return nil }
      number = 10 * number + Int(byte - UInt8(ascii: "0"))
    }
    guard number < limit else { return nil }
    rest.removeFirst(count)
    return number
  }
}
