import HTTPCore

/// Actions that the application postpones until the loop has handed out all requests that had arrived: to the end of
/// the next round.
// Sendable: used on the loop's thread only, as exchanges postpone actions only while the loop calls the application.
final class Intake: @unchecked Sendable {
  private var actions: [@Sendable (_ isQuiet: Bool) -> Void] = []
  /// Whether the round in which the first action was added is over.
  private var isOver = false

  var isEmpty: Bool { actions.isEmpty }

  /// Adds an action; it will be told whether the loop has nothing else to do then.
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
