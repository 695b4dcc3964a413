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

  @Test func everyStepHasARowOfItsOwn() {
    let layout = PackedLayout(steps: [7, 7, 5, 3, 3, 1])
    let rows = layout.steps.indices.flatMap { rider in
      (0..<layout.steps[rider]).map { layout.row(rider: rider, step: $0) }
    }
    #expect(rows.sorted() == Array(0..<layout.rows))
  }
}
