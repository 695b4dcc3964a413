import Testing

@testable import Inference
@testable import ModelFormat

@Suite struct ForwardTableTests {
  /// A description that is read can be computed.
  @Test func everyOpHasItsRow() {
    #expect(OpTable.rows.map { name(of: $0) } == ModelDescription.Op.all.map(\.name))
  }

  private func name<Forward: OpForward>(of row: Forward.Type) -> String { Forward.Definition.name }
}
