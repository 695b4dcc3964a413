import Testing

@testable import carousel

@Suite struct InstructionSetCheckTests {
  @Test(arguments: [nil, "", "scalar"] as [String?])
  func takes(name: String?) {
    #expect(throws: Never.self) { try checkInstructionSet(name) }
  }

  @Test(arguments: ["sse", "AVX2", "avx1024"])
  func refuses(name: String) {
    #expect { try checkInstructionSet(name) } throws: {
      "\($0)".hasPrefix(
        "CAROUSEL_ISA (environment): found \"\(name)\", expected what this CPU has: scalar")
    }
  }
}
