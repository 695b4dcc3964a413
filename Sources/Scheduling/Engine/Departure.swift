/// When admitted riders begin to ride, and which thread computes them. The engine starts them, so that no caller can
/// forget to.
package struct Departure {
  /// Keeps `action` until the caller's thread has handed over all requests that came together, and then calls it,
  /// saying whether the thread is idle.
  package typealias Postpone = (_ action: @escaping @Sendable (_ isIdle: Bool) -> Void) -> Void

  /// Nil if workers begin at once.
  let postpone: Postpone?

  /// Workers begin at once.
  package static var atOnce: Departure { Departure(postpone: nil) }

  /// Workers begin when `postpone` calls the action. If the calling thread is idle then, and there is only one rider, a
  /// short one, that thread computes it: this saves two hops from thread to thread.
  package static func postponed(by postpone: @escaping Postpone) -> Departure {
    Departure(postpone: postpone)
  }

  /// The longest ride, in seconds, that an idle thread computes itself: a hop to a worker and back costs a tenth of it.
  static let maxInlineSeconds = 0.001

  /// Whether the thread that brought a rider may compute it: nothing is fed back to it, its steps fit in one turn, and
  /// their cost is known and small.
  static func isShort(_ journey: Journey, turnSteps: Int, costs: TurnCosts) -> Bool {
    journey.following == 0 && journey.steps <= turnSteps && costs.isKnown(riders: 1)
      && costs.seconds(oneOf: 1, steps: journey.steps, workers: 1, seats: 1) <= maxInlineSeconds
  }
}
