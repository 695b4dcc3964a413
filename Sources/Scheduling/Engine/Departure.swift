/// When riders that were admitted begin to ride, and who may compute them. The engine sees to it that they do: no caller
/// has anything to start, or to forget.
package struct Departure {
  /// Keeps an action for the moment in which the caller's thread has let all ride that came together, and tells it then
  /// whether the thread has nothing else to do.
  package typealias Postpone = (_ action: @escaping @Sendable (_ isIdle: Bool) -> Void) -> Void

  /// Nil for at once.
  let postpone: Postpone?

  /// Workers begin at once.
  package static var atOnce: Departure { Departure(postpone: nil) }

  /// Workers begin when `postpone` says so. A rider that is alone then, and short, is computed by the thread that says so,
  /// where that is idle: that saves two hops from thread to thread.
  package static func postponed(by postpone: @escaping Postpone) -> Departure {
    Departure(postpone: postpone)
  }

  /// What a rider may cost that an idle thread computes itself: a hop to a worker and back costs a tenth.
  static let secondsHere = 0.001

  /// Whether the thread that brought a rider computes it: one alone, of few steps, whose cost is known and small.
  static func isShort(_ journey: Journey, turnSteps: Int, costs: TurnCosts) -> Bool {
    journey.following == 0 && journey.steps <= turnSteps && costs.isKnown(riders: 1)
      && costs.seconds(oneOf: 1, steps: journey.steps, workers: 1, seats: 1) <= secondsHere
  }
}
