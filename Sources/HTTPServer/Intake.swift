import HTTPCore

/// What an application puts off until a loop has handed out all that had come: to the end of the round after.
// Sendable: used on the loop's thread only, as exchanges postpone while the application is called there.
final class Intake: @unchecked Sendable {
  private var actions: [@Sendable (_ isQuiet: Bool) -> Void] = []
  /// Whether the round in which the first of them came is over.
  private var isOver = false

  var isEmpty: Bool { actions.isEmpty }

  /// Has `action` called, with whether nothing else is to be done then.
  func postpone(_ action: @escaping @Sendable (_ isQuiet: Bool) -> Void) { actions.append(action) }

  /// Does what was put off in the round before this one; returns whether there was anything.
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
