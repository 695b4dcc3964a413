/// What the weights of a model's recurrent networks are kept as in memory. All else is f32.
package enum Precision: String, Sendable, Equatable, CaseIterable {
  /// As the weights are trained.
  case f32
  /// IEEE half precision: half the memory and its traffic, f32 arithmetic.
  case f16
  /// A quarter of the memory, integer arithmetic; `carousel inspect` tells what it costs in accuracy.
  case int8
}
