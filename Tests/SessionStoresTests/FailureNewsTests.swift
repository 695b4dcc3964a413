import Testing

@testable import SessionStores

struct FailureNewsTests {
  @Test func turnsAreToldOnceInAWhile() {
    let start = ContinuousClock.now
    var news = FailureNews()
    let first = [
      news.works(), news.fails(at: start), news.fails(at: start + FailureNews.pause),
      news.works(), news.works(),
    ]
    #expect(first == [false, true, false, true, false])
    // It fails anew before the time: nothing of it is told, until it has lasted.
    let second = [
      news.fails(at: start + .seconds(1)), news.works(), news.fails(at: start + .seconds(9)),
      news.fails(at: start + FailureNews.pause), news.works(),
    ]
    #expect(second == [false, false, false, true, true])
  }
}
