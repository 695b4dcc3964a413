import HTTPCore

/// Actions that an application postpones until the loop has handed out all requests that had come: to the end of the next round.
// Sendable: used on the loop's thread only, as exchanges postpone while the application is called there.
final class Intake: @unchecked Sendable {
  private var actions: [@Sendable (_ isQuiet: Bool) -> Void] = []
  /// Whether the round in which the first action came is over.
  private var isOver = false

  var isEmpty: Bool { actions.isEmpty }

  /// Adds an action, which is called with whether the loop has nothing else to do then.
  func postpone(_ action: @escaping @Sendable (_ isQuiet: Bool) -> Void) { actions.append(action) }

  /// Runs the actions that were postponed in the round before this one; returns whether there were any.
  func finishRound(isQuiet: Bool) -> Bool {
    guard isOver else {
      isOver = !actions.isEmpty
      return false
    }
    isOver = false
    var due: [@Sendable (Bool) -> Void] = []
    swap(&due, &actions)
    for action in due { action(isQuiet) }
    return true
  }
}
