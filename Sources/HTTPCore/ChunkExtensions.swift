/// Checks the extensions of a chunk byte by byte, behind its size (RFC 9112 §7.1.1):
/// `*( BWS ";" BWS name [ BWS "=" BWS ( token / quoted-string ) ] )`. Their content is dropped.
struct ChunkExtensions {
  private enum State {
    /// Behind the size, before the first semicolon; white space ("bad white space") is allowed.
    case size
    /// Before a name; white space is allowed.
    case start
    case name
    /// In the white space after a name.
    case nameEnded
    /// After the equals sign.
    case equals
    case token
    case quoted
    /// After a backslash within quotes.
    case escaped
    /// In the white space after a value.
    case valueEnded
  }

  private var state = State.size

  /// Consumes the next byte, which is not the CR that ends the extensions; returns false where the grammar does not
  /// allow it.
  mutating func take(_ byte: UInt8) -> Bool {
    let isSpace = byte == ASCII.space || byte == ASCII.tab
    switch state {
    case .size:
      if byte == ASCII.semicolon { state = .start }
      return isSpace || byte == ASCII.semicolon
    case .start:
      if isSpace { return true }
      state = .name
      return ByteSet.token.contains(byte)
    case .name, .nameEnded:
      switch byte {
      case UInt8(ascii: "="): state = .equals
      case ASCII.semicolon: state = .start
      case _ where isSpace: state = .nameEnded
      default:
        guard case .name = state else { return false }
        return ByteSet.token.contains(byte)
      }
      return true
    case .equals:
      if isSpace { return true }
      state = byte == ASCII.quote ? .quoted : .token
      return byte == ASCII.quote || ByteSet.token.contains(byte)
    case .token, .valueEnded:
      switch byte {
      case ASCII.semicolon: state = .start
      case _ where isSpace: state = .valueEnded
      default:
        guard case .token = state else { return false }
        return ByteSet.token.contains(byte)
      }
      return true
    case .quoted:
      if byte == ASCII.quote { state = .valueEnded }
      if byte == UInt8(ascii: "\\") { state = .escaped }
      return ASCII.isFieldValue(byte)
    case .escaped:
      state = .quoted
      return ASCII.isFieldValue(byte)
    }
  }

  /// Whether the line may end here.
  var isComplete: Bool {
    switch state {
    case .name, .nameEnded, .token, .valueEnded: true
    case .size, .start, .equals, .quoted, .escaped: false
    }
  }
}
