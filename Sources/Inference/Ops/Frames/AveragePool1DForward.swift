import ModelFormat

/// Averages in double precision, rounded once.
struct AveragePool1DForward: FramePoolForward {
  let op: AveragePool1DOp

  init(_ op: AveragePool1DOp, _ weights: NodeWeights) { self.op = op }

  func reduce(_ values: ArraySlice<Float>) -> Float {
    Float(values.reduce(0) { $0 + Double($1) } / Double(op.pooling.window.kernel))
  }
}
