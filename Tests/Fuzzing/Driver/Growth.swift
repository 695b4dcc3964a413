import Fuzzing
import Glibc

/// Looks for inputs whose time grows faster than they do: a seed of which a part is repeated many times.
///
/// A fuzzer's inputs are short, and what is quadratic of a short one is fast.
struct Growth {
  /// Bytes of the shorter input; the longer one has four times as many.
  static let bytes = 40_000
  /// CPU seconds that the longer input takes at least, to be told of.
  static let leastSeconds = 0.1
  /// How much more time the longer input takes at least, to be told of: in proportion it would be 4, quadratic 16.
  static let leastRatio = 9.0

  let target: FuzzTarget
  private var random = SystemRandomNumberGenerator()

  init(target: FuzzTarget) { self.target = target }

  /// Tries repetitions for so much CPU time. Writes the longer input of each finding into `folder`, and tells of it.
  mutating func search(seconds: Double, folder: String) {
    let seeds = target.seeds().filter { !$0.isEmpty && $0.count <= Self.bytes / 4 }
    guard !seeds.isEmpty else { return }
    let start = Self.cpuSeconds
    var tries = 0
    var worst = 0.0
    while Self.cpuSeconds - start < seconds {
      let seed = seeds.randomElement(using: &random) ?? []
      let from = Int.random(in: 0..<seed.count, using: &random)
      // As long as a number, a line, an element, or much of the whole.
      let longest = [1, 4, 16, 64, 256, 4096].randomElement(using: &random) ?? 1
      let to = min(seed.count, from + Int.random(in: 1...longest, using: &random))
      tries += 1
      let short = time(seed, from..<to, Self.bytes)
      guard short > Self.leastSeconds / 40 else { continue }
      let long = time(seed, from..<to, 4 * Self.bytes)
      guard long > Self.leastSeconds, long / short > worst else { continue }
      // Once more: the first time may have paid for something once and for all.
      let ratio = time(seed, from..<to, 4 * Self.bytes) / time(seed, from..<to, Self.bytes)
      guard ratio > Self.leastRatio, ratio > worst else { continue }
      worst = ratio
      let path = "\(folder)/growth-\(tries)"
      write(repeated(seed, from..<to, 4 * Self.bytes), to: path)
      print(
        "\(target.name): \(Int(ratio)) times the time, \(long) s, for 4 times the bytes: \(path)")
    }
    print("\(target.name): \(tries) repetitions tried")
  }

  private func time(_ seed: [UInt8], _ part: Range<Int>, _ bytes: Int) -> Double {
    let input = repeated(seed, part, bytes)
    let start = Self.cpuSeconds
    target.run(input)
    return Self.cpuSeconds - start
  }

  /// The seed with a part of it repeated until there are so many bytes.
  private func repeated(_ seed: [UInt8], _ part: Range<Int>, _ bytes: Int) -> [UInt8] {
    let copies = max(1, (bytes - seed.count) / part.count)
    var result = Array(seed[..<part.upperBound])
    for _ in 0..<copies { result += seed[part] }
    return result + seed[part.upperBound...]
  }

  /// What this process has used.
  private static var cpuSeconds: Double {
    var time = timespec()
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
  }
}
