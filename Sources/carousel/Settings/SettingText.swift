/// Parsers of settings' values.
enum SettingText {
  /// The elements of a list in `text`.
  static func elements(of text: String) -> [Substring] {
    text.split { $0 == "," || $0 == " " }
  }

  /// A number in `range` that begins with a digit; a sign, `nan` and `inf` are not allowed.
  static func number(_ text: String, _ range: ClosedRange<Double>) -> Double? {
    guard let first = text.utf8.first, first >= UInt8(ascii: "0"), first <= UInt8(ascii: "9"),
      let number = Double(text), range.contains(number)
    else { return nil }
    return number
  }

  /// A number of digits only, without sign, space or separator.
  static func wholeNumber(_ text: some StringProtocol) -> Int? {
    guard text.utf8.allSatisfy({ $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") }) else {
      return nil
    }
    return Int(text)
  }

  /// Digits, then optionally a unit: `8 MiB`, `8MiB`, `8388608`.
  static func byteCount(_ text: String) -> Int? {
    let digits = text.prefix { $0.isASCII && $0.isNumber }
    let rest = text.dropFirst(digits.count)
    let unit = rest.first == " " ? rest.dropFirst() : rest
    guard let number = wholeNumber(digits),
      let factor = rest.isEmpty ? 1 : byteUnits[String(unit)]
    else { return nil }
    let (product, overflow) = number.multipliedReportingOverflow(by: factor)
    return overflow ? nil : product
  }

  private static let byteUnits = ["KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30]

  /// The path of a store in a file, `file:PATH`.
  static func storePath(_ text: String) -> String? {
    let prefix = "file:"
    guard text.hasPrefix(prefix), text != prefix else { return nil }
    return String(text.dropFirst(prefix.count))
  }

  /// The text without the line ends and spaces at its two ends.
  static func trimmed(_ text: String) -> String {
    let isSpace: (UInt8) -> Bool = { $0 == 0x20 || (0x09...0x0D).contains($0) }
    let bytes = text.utf8.drop(while: isSpace)
    let end = bytes.lastIndex { !isSpace($0) }.map { bytes.index(after: $0) }
    return String(text[bytes.startIndex..<(end ?? bytes.startIndex)])
  }
}
