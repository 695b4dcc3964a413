/// The kind of problem of a pickle.
enum PickleProblem: Equatable {
  case truncated
  case unknownOpcode(UInt8)
  /// An operation pops more than the stack has.
  case emptyStack(opcode: UInt8)
  case noMark(opcode: UInt8)
  /// No object was stored in the memo under this number.
  case unknownMemo(Int)
  case badNumber(String)
  case badText
  /// An operation on an object of another type.
  case wrongType(opcode: UInt8)
  case tooManyObjects(limit: Int)
  /// Data that only the writing process can resolve: extension codes, and buffers outside the pickle.
  case notSelfContained(opcode: UInt8)
}

extension PickleProblem: CustomStringConvertible {
  var description: String {
    switch self {
    case .truncated: "the file ends within the pickle"
    case .unknownOpcode(let code): "\(Self.hex(code)) is no operation of a pickle"
    case .emptyStack(let code): "operation \(Self.hex(code)) finds nothing on the stack"
    case .noMark(let code): "operation \(Self.hex(code)) finds no mark on the stack"
    case .unknownMemo(let index): "object \(index) is used, but was never stored"
    case .badNumber(let text): "\"\(text)\" is no number"
    case .badText: "a quoted string does not end, or has an escape that Python has not"
    case .wrongType(let code):
      "operation \(Self.hex(code)) is applied to an object of another type"
    case .tooManyObjects(let limit): "there are more than \(limit) objects"
    case .notSelfContained(let code):
      "operation \(Self.hex(code)) needs something that is not in the file"
    }
  }

  private static func hex(_ byte: UInt8) -> String {
    "0x" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
  }
}

/// A pickle that can't be read, and where.
struct PickleError: Error, Equatable {
  let offset: Int
  let problem: PickleProblem
}
