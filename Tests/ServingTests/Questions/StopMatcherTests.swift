import TestSupport
import Testing

@testable import Serving

@Suite struct StopMatcherTests {
  /// What is given out piece by piece, what at the end, and whether a stop was found.
  private func run(
    _ pieces: [String], stops: [String]
  ) -> (pieces: [String], rest: String, stops: Bool) {
    var matcher = StopMatcher(stops)
    var out: [String] = []
    for piece in pieces {
      let (text, stopped) = matcher.append(piece)
      out.append(text)
      if stopped {
        #expect(matcher.finish() == "")
        return (out, "", true)
      }
    }
    return (out, matcher.finish(), false)
  }

  @Test(
    arguments: [
      // Nothing to wait for.
      ([], ["a", "b"], ["a", "b"], "", false),
      (["x"], ["a", "b"], ["a", "b"], "", false),
      // Within a piece, across pieces, at either end.
      (["b"], ["abc"], ["a"], "", true),
      (["bc"], ["ab", "cd"], ["a", ""], "", true),
      (["abcd"], ["a", "b", "c", "d"], ["", "", "", ""], "", true),
      (["d"], ["abc", "d"], ["abc", ""], "", true),
      (["a"], ["a"], [""], "", true),
      // Held back, and then no stop after all.
      (["bcx"], ["ab", "c", "d"], ["a", "", "bcd"], "", false),
      (["bcx"], ["ab", "c"], ["a", ""], "bc", false),
      // A beginning within a beginning.
      (["aab"], ["a", "a", "a", "b"], ["", "", "a", ""], "", true),
      (["abab"], ["aba", "cab", "ab"], ["", "abac", ""], "", true),
      // The first place counts, whichever stop it is; of two at a place it is the same place.
      (["cd", "bcd"], ["abcd"], ["a"], "", true),
      (["b", "bc"], ["ab", "c"], ["a"], "", true),
      (["bcd", "c"], ["ab", "c"], ["a", "b"], "", true),
      // Characters of several bytes are not cut.
      (["é"], ["caf", "é"], ["caf", ""], "", true),
      (["éx"], ["café", "y"], ["caf", "éy"], "", false),
      (["è"], ["é"], ["é"], "", false),
      (["👍🏽"], ["👍", "🏽!"], ["", ""], "", true),
      // Nothing is no piece of anything.
      (["ab"], ["a", "", "b"], ["", "", ""], "", true),
    ] as [([String], [String], [String], String, Bool)])
  func examples(
    stops: [String], pieces: [String], out: [String], rest: String, isStopped: Bool
  ) {
    let found = run(pieces, stops: stops)
    #expect(found.pieces == out && found.rest == rest && found.stops == isStopped)
  }

  /// Against a search of the whole text after every piece. Of few letters, so that stops begin often.
  @Test(arguments: 1...40) func asBySearchingTheWhole(seed: UInt32) {
    var noise = SeededNumbers(state: seed)
    func text(_ most: Int) -> String {
      (0..<1 + Int(noise.next()) % most).map { _ in
        ["a", "b", "é"][Int(noise.next() % 3)]
      }.joined()
    }
    var stopped = 0
    for _ in 0..<100 {
      let stops = (0..<1 + noise.next() % 3).map { _ in text(5) }
      let pieces = (0..<noise.next() % 12).map { _ in text(3) }
      let found = run(pieces, stops: stops)

      var whole = ""
      var end: (pieces: Int, text: String)?
      for (index, piece) in pieces.enumerated() where end == nil {
        whole += piece
        let starts = stops.compactMap { stop in
          Array(whole.unicodeScalars).firstRange(of: Array(stop.unicodeScalars))?.lowerBound
        }
        guard let start = starts.min() else { continue }
        end = (index + 1, String(String.UnicodeScalarView(whole.unicodeScalars.prefix(start))))
      }
      #expect(found.stops == (end != nil))
      #expect(found.pieces.count == end?.pieces ?? pieces.count)
      #expect(found.pieces.joined() + found.rest == end?.text ?? whole)
      stopped += end == nil ? 0 : 1
      // No more is held back than could be the beginning of a stop.
      guard end == nil else { continue }
      #expect(found.rest.isEmpty || stops.contains { $0.hasPrefix(found.rest) && $0 != found.rest })
      #expect(
        !stops.contains { stop in
          stop.unicodeScalars.indices.dropFirst().contains {
            let prefix = String(stop[..<$0])
            return prefix.utf8.count > found.rest.utf8.count && whole.hasSuffix(prefix)
          }
        })
    }
    #expect((10..<100).contains(stopped))
  }
}
