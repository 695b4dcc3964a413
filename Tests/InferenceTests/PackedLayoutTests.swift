import Testing

@testable import Inference

@Suite struct PackedLayoutTests {
  @Test func shrinkingPrefix() {
    let layout = PackedLayout(steps: [4, 2, 2, 1])
    #expect(layout.active == [4, 3, 1, 1])
    #expect(layout.starts == [0, 4, 7, 8])
    #expect(layout.rows == 9)
    #expect((0..<4).map { layout.lastRow(rider: $0) } == [8, 5, 6, 3])
  }

  /// Riders of any order are placed longest first; those without steps have no row.
  @Test func placesInAnyOrder() {
    let layout = PackedLayout(steps: [2, 0, 4, 2])
    #expect((0..<4).map { layout.place(of: $0) } == [1, 3, 0, 2])
    #expect(layout.active == [3, 3, 1, 1] && layout.rows == 8)
    #expect([0, 2, 3].map { layout.lastRow(rider: $0) } == [4, 7, 5])
  }

  @Test(arguments: [[7, 7, 5, 3, 3, 1], [1, 3, 7, 5, 0, 7]])
  func everyStepHasARowOfItsOwn(steps: [Int]) {
    let layout = PackedLayout(steps: steps)
    let rows = layout.steps.indices.flatMap { rider in
      (0..<layout.steps[rider]).map { layout.row(rider: rider, step: $0) }
    }
    #expect(rows.sorted() == Array(0..<layout.rows))
  }
}
