import Testing

@testable import HTTP2

@Suite struct FloodMeterTests {
  private var limits: HTTP2Limits {
    var limits = HTTP2Limits()
    limits.maxFruitlessFrames = 2
    limits.maxResets = 2
    return limits
  }

  @Test func framesAreCountedSinceTheLastProgress() {
    var meter = FloodMeter(limits)
    for _ in 0..<3 {
      #expect(meter.frameBegan() == .fine)
      #expect(meter.frameBegan() == .fine)
      meter.progressed()
    }
    #expect(meter.frameBegan() == .fine)
    #expect(meter.frameBegan() == .fine)
    #expect(meter.frameBegan() == .flood)
  }

  @Test func answersAreNotSavedUp() {
    var meter = FloodMeter(limits)
    for _ in 0..<100 { meter.streamAnswered() }
    #expect(meter.streamReset() == .fine)
    #expect(meter.streamReset() == .fine)
    meter.streamAnswered()
    #expect(meter.streamReset() == .fine)
    #expect(meter.streamReset() == .flood)
  }
}
