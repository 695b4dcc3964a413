extension Duration {
  /// The duration in seconds.
  package var seconds: Double { self / .seconds(1) }

  /// The whole milliseconds of the duration, rounded towards 0.
  package var wholeMilliseconds: Int { Int(clamping: attoseconds / 1_000_000_000_000_000) }
}
