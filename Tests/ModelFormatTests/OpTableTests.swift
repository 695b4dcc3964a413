import TestSupport
import Testing

@testable import ModelFormat

/// What FORMAT.md says of the ops is what each op says of itself.
@Suite struct OpTableTests {
  @Test func formatListsEveryOp() throws {
    let path = "\(Fixtures.root)/Sources/ModelFormat/FORMAT.md"
    let text = String(decoding: try OpenFile(path: path).read(), as: UTF8.self)
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    let start = try #require(lines.firstIndex(of: "| op | inputs | tensors, attributes | result |"))
    let rows = lines[(start + 2)...].prefix { $0.hasPrefix("|") }.map(String.init)
    #expect(rows == ModelDescription.Op.all.map(\.row))
  }

  @Test func namesAreDistinct() {
    let names = ModelDescription.Op.all.map(\.name)
    #expect(Set(names).count == names.count)
  }
}

extension ModelDescription.Op {
  /// The op's row of FORMAT.md.
  fileprivate var row: String {
    let cells = ["`\(name)`", documentation.inputs, documentation.parameters, documentation.result]
    return cells.reduce("|") { $0 + ($1.isEmpty ? " |" : " \($1) |") }
  }
}
