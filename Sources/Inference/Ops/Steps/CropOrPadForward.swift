import ModelFormat

struct CropOrPadForward: StepSelectionForward {
  private let align: CropOrPadOp.Alignment

  init(_ op: CropOrPadOp, _ weights: NodeWeights) { align = op.align ?? .start }

  func source(of step: Int, count: Int, total: Int) -> Int? {
    // The number of steps dropped at the input's start or, if negative, of steps of padding put before it.
    let missing = total - count
    let skipped =
      switch align {
      case .start: 0
      case .centre: -(missing / 2)
      case .end: -missing
      }
    return (0..<count).contains(step + skipped) ? step + skipped : nil
  }
}
