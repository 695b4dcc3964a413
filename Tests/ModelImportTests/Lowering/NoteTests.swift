import Testing

@testable import ModelImport

@Suite struct NoteTests {
  /// Many notes that differ in a name alone are one; others, and two of them, stay as they are.
  @Test func alikeNotesAreOne() {
    let nodes = (1...8).map { "node \"n\($0)\" (Mul) computes with 16" }
    let others = ["node \"m\" (Add) computes with 16", "the input \"x\" is left out", "a \"b\""]
    #expect(
      Note.grouped(Array(nodes[..<4]) + others + Array(nodes[4...])) == [
        "\(nodes[0]); the same of 7 more: \"n2\", \"n3\", \"n4\", \"n5\", \"n6\" and 2 more"
      ] + others)
    #expect(Note.grouped(Array(nodes[..<2])) == Array(nodes[..<2]))
  }
}
