import Inference
import Scheduling

/// A session as Redis has it: a head of 64 bytes, and the state behind it.
///
/// The head, its numbers with the low byte first: 8 bytes the version, 8 the steps, 16 digits when it was created (milliseconds of
/// Redis's clock), 16 the token of its last move, 8 how many of its last moves one process made, 8 what `StateCodec` says of the state.
struct RedisEntry: Sendable, Equatable {
  static let headByteCount = 64
  /// A version that no session has.
  static let noVersion = [UInt8](repeating: 0, count: 8)

  var version: Int
  /// 0 where Redis is to write when that is.
  var created: Int
  /// Of its last move.
  var token: RedisToken
  /// The last moves that the process of `token` made, without one of another process between.
  var run: Int
  var state: SequenceState

  /// The version of a session's first state: at random, so that it never has a version of an earlier session of its id.
  static func firstVersion() -> Int { Int.random(in: 1...(1 << 62)) }

  static func bytes(of number: Int) -> [UInt8] {
    (0..<8).map { UInt8(truncatingIfNeeded: number >> (8 * $0)) }
  }

  static func number(_ bytes: some Sequence<UInt8>) -> Int {
    var (number, shift) = (UInt64(0), UInt64(0))
    for byte in bytes.prefix(8) {
      number |= UInt64(byte) << shift
      shift += 8
    }
    return Int(truncatingIfNeeded: number)
  }

  /// What the sessions of a model take, by a script's count of them and of the bytes of one's state and id.
  ///
  /// The states of a model are of one size; what is added is about what Redis takes beside one.
  static func usage(_ numbers: ArraySlice<Int>) -> SessionTable.Usage {
    var usage = SessionTable.Usage()
    guard numbers.count == 2, let count = numbers.first, let byteCount = numbers.last else {
      return usage
    }
    usage.count = count
    usage.byteCount = count * (byteCount + SessionTable.overheadBytes)
    return usage
  }

  func bytes(of key: SessionTable.Key, by codec: StateCodec) -> [UInt8] {
    let (checksum, coded) = codec.bytes(of: state, key: key, version: version)
    var bytes: [UInt8] = []
    bytes.reserveCapacity(Self.headByteCount + coded.count)
    func append(_ number: Int) {
      for shift in stride(from: 0, to: 64, by: 8) {
        bytes.append(UInt8(truncatingIfNeeded: number >> shift))
      }
    }
    append(version)
    append(state.position)
    var power = 1_000_000_000_000_000
    while power > 0 {
      bytes.append(UInt8(ascii: "0") + UInt8(created / power % 10))
      power /= 10
    }
    bytes += token.bytes
    append(run)
    append(checksum)
    bytes += coded
    return bytes
  }

  /// - Throws: where the bytes are no state of the session `key`, or need a key that is not there.
  init(
    _ bytes: [UInt8], of key: SessionTable.Key, by codec: StateCodec, floatCount: Int
  ) throws(StateSealingError) {
    guard let head = Head(bytes), head.version != 0, head.steps > 0 else { throw .damaged }
    let floats = try codec.floats(
      of: Array(bytes[Self.headByteCount...]), checksum: head.checksum, key: key,
      version: head.version, steps: head.steps)
    guard floats.count == floatCount else { throw .damaged }
    self.init(
      version: head.version, created: head.created, token: head.token, run: head.run,
      state: SequenceState(position: head.steps, floats: floats))
  }

  init(version: Int, created: Int, token: RedisToken, run: Int, state: SequenceState) {
    self.version = version
    self.created = created
    self.token = token
    self.run = run
    self.state = state
  }

  /// What the head says.
  struct Head {
    let version: Int
    let steps: Int
    let created: Int
    let token: RedisToken
    let run: Int
    let checksum: Int

    /// Nil where the bytes are no head, and nothing behind it.
    init?(_ bytes: [UInt8]) {
      guard bytes.count >= headByteCount, let token = RedisToken(bytes[32..<48]),
        let created = Int(String(decoding: bytes[16..<32], as: UTF8.self)), created >= 0
      else { return nil }
      version = number(bytes[0..<8])
      steps = number(bytes[8..<16])
      self.created = created
      self.token = token
      run = number(bytes[48..<56])
      checksum = number(bytes[56..<64])
    }
  }
}
