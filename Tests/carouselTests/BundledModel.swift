import Inference
import ModelFormat
import TestSupport

/// The co2 model that the project ships: one LSTM of scalars, which forecasts 12 steps.
enum BundledModel {
  static let folder = Fixtures.bundledModel("co2")

  static func graph() throws -> ModelGraph { try ModelGraph(try Model(folder: folder)) }
}
