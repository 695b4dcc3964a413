/// The precision in memory of a model's recurrent networks' weights. Everything else is f32.
package enum Precision: String, Sendable, Equatable, CaseIterable {
  /// The precision of training.
  case f32
  /// IEEE half precision: half the memory and its traffic, f32 arithmetic.
  case f16
  /// A quarter of the memory, integer arithmetic; `carousel inspect` measures the loss of accuracy.
  case int8
}
