/// Environment variables that Kubernetes and Docker's links set for services. Those of a service called `carousel` or
/// `carousel-0` look like our settings.
enum ServiceVariable {
  private static let protocols = ["TCP", "UDP", "SCTP"]

  /// Whether a variable gives the address of a service. `…_PORT` and `…_PORT_8080_TCP` are recognised by a value such as
  /// `tcp://10.0.0.1:8080`, others by the ends of their names, which none of our settings has.
  static func isOne(_ name: String, _ text: String) -> Bool {
    if name.hasSuffix("_SERVICE_HOST") || name.hasSuffix("_SERVICE_PORT")
      || name.contains("_SERVICE_PORT_")
    {
      return true
    }
    let words = name.split(separator: "_", omittingEmptySubsequences: false)[...]
    let ends = ["ADDR", "PORT", "PROTO"]
    if isPort(words.dropLast()), ends.contains(String(words.last ?? "")) { return true }
    let isURL = protocols.contains { text.hasPrefix("\($0.lowercased())://") }
    return isURL && (words.last == "PORT" || isPort(words))
  }

  /// Whether the words end as `…_PORT_8080_TCP` does.
  private static func isPort(_ words: ArraySlice<Substring>) -> Bool {
    guard words.count >= 3, protocols.contains(String(words[words.endIndex - 1])) else {
      return false
    }
    let number = words[words.endIndex - 2]
    return words[words.endIndex - 3] == "PORT" && UInt16(number) != nil
  }
}
