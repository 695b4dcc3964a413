import HTTPCore

/// Requests of a connection in the order in which they came.
struct RequestQueue {
  private var requests: [(HTTPRequest, StreamID)] = []
  private var takenCount = 0

  var isEmpty: Bool { takenCount == requests.count }

  mutating func append(_ request: HTTPRequest, _ stream: StreamID) {
    requests.append((request, stream))
  }

  /// Takes out the first.
  mutating func popFirst() -> (HTTPRequest, StreamID)? {
    guard !isEmpty else { return nil }
    let first = requests[takenCount]
    // What was taken is not to be kept alive here.
    requests[takenCount].0 = HTTPRequest(method: "", path: "")
    takenCount += 1
    if isEmpty {
      requests.removeAll(keepingCapacity: true)
      takenCount = 0
    }
    return first
  }
}
