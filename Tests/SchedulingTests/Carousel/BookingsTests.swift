import Synchronization
import TestSupport
import Testing

@testable import Scheduling

/// Slots are 0.1 s long; an engine that takes 1000 steps a second gives 90 of them to those who were promised a place.
@Suite struct BookingsTests {
  private let start = ContinuousClock.now

  private func at(_ seconds: Double) -> ContinuousClock.Instant { start + .seconds(seconds) }

  private func bookings() -> Bookings { Bookings(start: start) }

  /// Promises a place at a time, to an engine that has 90 steps a slot to promise; returns the seconds to wait.
  private func book(
    _ bookings: inout Bookings, _ identity: UInt64, steps: Int = 30,
    room: Bookings.Places = .init(sequences: .max, steps: .max), earliest: Double = 0,
    stepsPerSecond: Double = 90 / (Bookings.slotSeconds * Bookings.bookableShare),
    at seconds: Double = 0
  ) -> Int {
    bookings.advance(to: at(seconds))
    return bookings.book(
      .init(request: identity), places: .init(sequences: 1, steps: steps), room: room, steps: steps,
      earliest: earliest,
      stepsPerSecond: stepsPerSecond, now: at(seconds))
  }

  private func redeem(_ bookings: inout Bookings, _ identity: UInt64, at seconds: Double) -> Bool {
    bookings.advance(to: at(seconds))
    return bookings.redeem(.init(request: identity), now: at(seconds))
  }

  // MARK: - When to come back

  @Test func theMoreAreRefusedTheLaterTheNextIsToCome() {
    var bookings = bookings()
    let waits = (0..<9).map { book(&bookings, $0) }
    #expect(waits == [1, 1, 1, 2, 2, 2, 3, 3, 3])
    #expect(bookings.count == 9)
    // The same seconds of another tenth of a second are free.
    #expect(book(&bookings, 9, at: 0.1) == 1)
  }

  @Test(arguments: [(0, 1), (0.2, 1), (1, 1), (1.01, 2), (7.5, 8), (599.5, 600), (1e9, 600)])
  func nobodyComesBeforeThereIsRoom(earliest: Double, wait: Int) {
    var bookings = bookings()
    #expect(book(&bookings, 1, earliest: earliest) == wait)
  }

  @Test func aLongRequestFillsTheSlotsThatFollow() {
    var bookings = bookings()
    // 990 steps: slots 10 to 20, and no more.
    #expect(book(&bookings, 1, steps: 990) == 1)
    #expect(book(&bookings, 2) == 3)
    #expect(book(&bookings, 3, at: 0.1) == 2)
    #expect(book(&bookings, 4, at: 1.0) == 2)
  }

  /// Before the first turn nobody knows what the engine is able to.
  @Test func withoutCostsAllMayComeAtOnce() {
    var bookings = bookings()
    #expect(
      (0..<1000).allSatisfy { book(&bookings, $0, steps: 5000, stepsPerSecond: .infinity) == 1 })
  }

  /// However many come when: no tenth of a second is promised to more than it takes, but for one request.
  @Test(arguments: 1...10) func noSlotIsPromisedTwice(seed: UInt64) {
    var bookings = bookings()
    var noise = Noise(seed: seed)
    var promised: [Int: Int] = [:]
    var now = 0.0
    // Within the grace nobody lapses, so the share of those who come stays 1.
    for identity in 0..<800 as Range<UInt64> {
      now += Double.random(in: 0...0.003, using: &noise)
      let steps = Int.random(in: 1...120, using: &noise)
      let wait = book(&bookings, identity, steps: steps, at: now)
      promised[Int(((now + Double(wait)) / 0.1).rounded(.down)), default: 0] += steps
    }
    #expect(bookings.count == 800 && bookings.keptShare == 1)
    #expect(promised.values.allSatisfy { $0 < 90 + 120 })
    // Nor is room left unused: all up to the last one are full, but for what rounds to whole seconds.
    #expect(promised.values.count { $0 >= 60 } > promised.count * 3 / 4)
  }

  // MARK: - Coming back

  /// Its slot is that of 1.0 to 1.1 s; a client may be 0.05 s early, and 1.5 s late.
  @Test(arguments: [
    (0, false), (0.85, false), (0.949, false), (0.951, true), (1, true), (1.05, true), (2, true),
    (2.599, true), (2.601, false), (2.7, false), (100, false),
  ])
  func aPlaceIsThereForAWhile(seconds: Double, isThere: Bool) {
    var bookings = bookings()
    #expect(book(&bookings, 7) == 1)
    #expect(redeem(&bookings, 7, at: seconds) == isThere)
    #expect(bookings.count == (isThere || seconds > 2.6 ? 0 : 1))
  }

  @Test func aPlaceIsTakenOnce() {
    var bookings = bookings()
    _ = book(&bookings, 7)
    #expect(!redeem(&bookings, 8, at: 1))
    #expect(redeem(&bookings, 7, at: 1))
    #expect(!redeem(&bookings, 7, at: 1))
    #expect(bookings.count == 0)
    // What was taken does not lapse.
    bookings.advance(to: at(10))
    #expect(bookings.count == 0 && bookings.keptShare == 1)
  }

  @Test func equalRequestsHaveAPlaceEach() {
    var bookings = bookings()
    #expect(book(&bookings, 7) == 1)
    #expect(book(&bookings, 7) == 1)
    #expect(book(&bookings, 7, at: 0.5) == 1)
    #expect(redeem(&bookings, 7, at: 1) && redeem(&bookings, 7, at: 1))
    #expect(!redeem(&bookings, 7, at: 1) && bookings.count == 1)
    #expect(redeem(&bookings, 7, at: 1.5) && bookings.count == 0)
  }

  @Test func equalRequestsLapseTogether() {
    var bookings = bookings()
    for _ in 0..<3 { _ = book(&bookings, 7) }
    #expect(redeem(&bookings, 7, at: 1))
    bookings.advance(to: at(3))
    #expect(bookings.count == 0)
    #expect(abs(bookings.keptShare - (63.0 / 64) * (63.0 / 64)) < 1e-12)
  }

  // MARK: - How many come

  @Test func theShareOfThoseWhoComeIsLearned() {
    var bookings = bookings()
    _ = book(&bookings, 1)
    bookings.advance(to: at(2.7))
    #expect(abs(bookings.keptShare - 63.0 / 64) < 1e-12)
    _ = book(&bookings, 2, at: 3)
    #expect(redeem(&bookings, 2, at: 4))
    #expect(abs(bookings.keptShare - (63.0 / 64 + 1.0 / 4096)) < 1e-12)
  }

  /// Of 45 who did not come the share is (63/64)⁴⁵ = 0.492, and three deviations more 0.625: 90 / 0.625 = 143.9 steps a slot,
  /// 5 of 30 steps. Of 3 who did not come it is 0.954, and may be 1.
  @Test(arguments: [(0, 3), (3, 3), (45, 5), (1000, 60)])
  func moreArePromisedWhereFewCome(lapsed: Int, places: Int) {
    var bookings = bookings()
    for identity in 0..<lapsed {
      _ = book(&bookings, UInt64(identity), stepsPerSecond: .infinity)
    }
    bookings.advance(to: at(5))
    #expect(bookings.count == 0)
    let waits = (0..<80).map { book(&bookings, UInt64(lapsed + $0), at: 5) }
    #expect(waits.count { $0 == 1 } == places)
  }

  /// Nor do more come at once than the queue holds, however little is known of costs: 3 sequences, or 90 steps.
  @Test(arguments: [
    (Bookings.Places(sequences: 3, steps: .max), [1, 1, 1, 2, 2, 2, 3]),
    (.init(sequences: .max, steps: 89), [1, 1, 2, 2, 3, 3, 4]),
    (.init(sequences: .max, steps: 90), [1, 1, 1, 2, 2, 2, 3]),
    // What is more than all comes by itself.
    (.init(sequences: 1, steps: 1), [1, 2, 3, 4, 5, 6, 7]),
  ])
  func noMoreComeThanTheQueueHolds(room: Bookings.Places, waits: [Int]) {
    var bookings = bookings()
    let found = (0..<7).map { book(&bookings, $0, room: room, stepsPerSecond: .infinity) }
    #expect(found == waits)
  }

  // MARK: - Reserved places

  /// Three come at 1, 1 and 2 s: each place is reserved from `within` before until it is taken or lapses.
  @Test(arguments: [
    (0.4, 0), (0.51, 2), (1.0, 2), (1.51, 3), (2.55, 3), (2.7, 1), (3.55, 1), (3.7, 0),
  ])
  func placesAreReservedForThoseWhoAreDue(seconds: Double, sequences: Int) {
    var bookings = bookings()
    for identity in 0..<3 as Range<UInt64> {
      #expect(book(&bookings, identity, steps: 45) == (identity < 2 ? 1 : 2))
    }
    bookings.advance(to: at(seconds))
    // Where some have lapsed, the share of those who come is less, and all of the few are still reserved.
    #expect(
      bookings.reserved(within: 0.5, now: at(seconds))
        == .init(sequences: sequences, steps: 45 * sequences))
  }

  @Test func takenPlacesAreReservedNoMore() {
    var bookings = bookings()
    for identity in [7, 7, 8] as [UInt64] { _ = book(&bookings, identity, steps: 10) }
    for (identity, left) in [(7, 2), (8, 1), (7, 0)] as [(UInt64, Int)] {
      #expect(redeem(&bookings, identity, at: 1))
      #expect(
        bookings.reserved(within: 0.5, now: at(1)) == .init(sequences: left, steps: 10 * left))
    }
  }

  /// Of 400 of whom few come, those are reserved who are expected, and three standard deviations more.
  @Test func fewAreReservedWhereFewCome() {
    var bookings = bookings()
    for identity in 0..<200 as Range<UInt64> {
      _ = book(&bookings, identity, stepsPerSecond: .infinity)
    }
    bookings.advance(to: at(5))
    for identity in 0..<400 as Range<UInt64> {
      _ = book(&bookings, identity, stepsPerSecond: .infinity, at: 5)
    }
    let share = bookings.keptShare
    #expect(share < 0.05)
    let expected = 400 * share + 3 * (400 * share * (1 - share)).squareRoot()
    #expect(
      bookings.reserved(within: 1, now: at(5)).sequences == Int(expected.rounded(.up)))
  }

  /// One who came on time in vain slows promises by a tenth; those who are admitted quicken them again.
  @Test func promisesKeepThePaceThatIsHonoured() {
    var bookings = bookings()
    bookings.record(isHonoured: true)
    #expect(bookings.pace == 1)
    bookings.record(isHonoured: false)
    #expect(bookings.pace == 0.9)
    for _ in 0..<100 { bookings.record(isHonoured: false) }
    #expect(bookings.pace == Bookings.minimumPace)
    // 90 steps a slot at a pace of 0.3: one of 30 steps instead of three.
    #expect((0..<3).map { book(&bookings, $0) } == [1, 2, 3])
    for _ in 0..<1000 { bookings.record(isHonoured: true) }
    #expect(bookings.pace > 0.99 && bookings.pace <= 1)
  }

  // MARK: - Bounds

  @Test func promisesAreBounded() {
    var bookings = bookings()
    func add(_ identity: UInt64) {
      #expect(book(&bookings, identity, steps: 1, stepsPerSecond: .infinity) == 1)
    }
    for identity in 1..<100_000 as Range<UInt64> { add(identity) }
    #expect(Bookings.maxBookings == 100_000 && bookings.count == 99_999)
    add(100_000)
    #expect(bookings.count == 100_000)
    // The next is told the time, but has no place; once another's is taken there is room again.
    add(100_001)
    #expect(bookings.count == 100_000)
    #expect(!redeem(&bookings, 100_001, at: 1) && redeem(&bookings, 100_000, at: 1))
    _ = book(&bookings, 100_002, at: 1)
    #expect(bookings.count == 100_000 && redeem(&bookings, 100_002, at: 2))
  }

  /// More than ten minutes' worth is told ten minutes, and takes no more slots than those.
  @Test(.endsHangs) func timesFarAheadAreBounded() {
    var bookings = bookings()
    #expect(book(&bookings, 1, steps: .max / 2, stepsPerSecond: 1) == 1)
    #expect(book(&bookings, 2, steps: 1, stepsPerSecond: 1) == 600)
    #expect(book(&bookings, 3, steps: 1, earliest: 5000, stepsPerSecond: 1) == 600)
    #expect(redeem(&bookings, 2, at: 600) && redeem(&bookings, 3, at: 600))
    #expect(bookings.count == 0)
  }

  /// A thousand idle years are over at once, and leave nothing behind.
  @Test(.endsHangs) func idleTimeIsCheap() {
    var bookings = bookings()
    var now = 0.0
    for round in 0..<1000 as Range<UInt64> {
      #expect(book(&bookings, round, at: now) == 1)
      #expect(redeem(&bookings, round, at: now + 1))
      _ = book(&bookings, round, at: now + 1)
      now += 365 * 86400
    }
    bookings.advance(to: at(now))
    #expect(bookings.count == 0)
  }

  /// Threads bring their times in any order: one that was held up brings a time that is past.
  @Test(arguments: [0, 0.5, 2, 60]) func timesMayComeLate(late: Double) {
    var bookings = bookings()
    _ = book(&bookings, 1, at: 99)
    bookings.advance(to: at(100))
    let wait = bookings.book(
      .init(request: 2), places: .init(), room: .init(sequences: 9, steps: 9), steps: 30,
      earliest: 0,
      stepsPerSecond: 1000, now: at(100 - late))
    #expect(wait >= 1 && bookings.count == 2)
    #expect(redeem(&bookings, 1, at: 100))
    bookings.advance(to: at(200))
    #expect(bookings.count == 0)
  }

  // MARK: - Who sends the same

  /// Of clients who send the same, each has the place that was promised to its connection.
  @Test func equalRequestsAreToldApartByTheirConnections() {
    var bookings = bookings()
    let left = Gone([])
    for connection in [1, 2, 2] as [UInt64] { bookOne(&bookings, left.client(connection)) }
    bookings.advance(to: at(1))
    func redeem(_ client: Bookings.Identity) -> Bool { bookings.redeem(client, now: at(1)) }
    #expect(redeem(left.client(2)) && bookings.count == 2)
    #expect(redeem(left.client(1)) && bookings.count == 1)
    #expect(redeem(left.client(2)) && bookings.count == 0)
    #expect(!redeem(left.client(1)) && !redeem(left.client(2)) && !redeem(left.client(3)))
  }

  /// A client with a pool of connections may come back over one to which nothing was promised.
  @Test(arguments: [false, true]) func whoComesOverAnotherConnectionHasItsPlace(isNew: Bool) {
    var bookings = bookings()
    let left = Gone([])
    bookOne(&bookings, left.client(1))
    bookings.advance(to: at(1))
    func redeem(_ client: Bookings.Identity) -> Bool { bookings.redeem(client, now: at(1)) }
    #expect(!redeem(.init(request: 8, connection: 2)))
    #expect(redeem(left.client(2, isNew: isNew)))
    #expect(bookings.count == 0 && bookings.keptShare == 1)
    #expect(bookings.reserved(within: 9, now: at(1)) == .init())
    // Its place lapses without a word.
    bookings.advance(to: at(10))
    #expect(bookings.count == 0 && bookings.keptShare == 1)
    #expect(!redeem(left.client(1)))
  }

  /// Who sends the same as a client that was told to come may take its place, but the client still gets one.
  @Test(arguments: [false, true]) func strangersTakeNobodysPlace(isNew: Bool) {
    var bookings = bookings()
    let left = Gone([])
    for connection in [1, 2] as [UInt64] { bookOne(&bookings, left.client(connection)) }
    bookings.advance(to: at(1))
    func redeem(_ client: Bookings.Identity) -> Bool { bookings.redeem(client, now: at(1)) }
    // As many strangers as there are places.
    #expect(redeem(left.client(10, isNew: isNew)) && redeem(left.client(11, isNew: isNew)))
    #expect(!redeem(left.client(12, isNew: isNew)) && bookings.count == 0)
    for connection in [1, 2] as [UInt64] {
      #expect(redeem(left.client(connection)) && !redeem(left.client(connection)))
    }
    #expect(bookings.count == 0 && bookings.keptShare == 1)
  }

  /// A client that has just connected is taken for one whose connection has ended, and only then for another.
  @Test func whoReconnectsHasTheOldPlace() {
    var bookings = bookings()
    let left = Gone([2])
    for connection in 1...3 as ClosedRange<UInt64> { bookOne(&bookings, left.client(connection)) }
    bookings.advance(to: at(1))
    func redeem(_ client: Bookings.Identity) -> Bool { bookings.redeem(client, now: at(1)) }
    // A stranger has taken its place before.
    #expect(redeem(left.client(9)) && redeem(left.client(9)))
    #expect(bookings.count == 1)
    #expect(redeem(left.client(10, isNew: true)) && bookings.count == 1)
    // Whether a connection has ended is asked when another comes, not when the place was promised.
    left.add(3)
    #expect(redeem(left.client(11, isNew: true)) && bookings.count == 0)
    #expect(redeem(left.client(1)))
    #expect(!redeem(left.client(12, isNew: true)) && !redeem(left.client(3)))
  }

  /// For one newcomer no more connections are asked than a bound, those first that are due first.
  @Test(arguments: [-1, 0, 1]) func strangersAreAskedUpToABound(beyond: Int) {
    var bookings = bookings()
    let (bound, left) = (Bookings.maxConnectionsChecked, Gone([]))
    for connection in 1...UInt64(bound + 9) { bookOne(&bookings, left.client(connection)) }
    left.add(UInt64(bound + beyond))
    bookings.advance(to: at(1))
    func redeem(_ client: Bookings.Identity) -> Bool { bookings.redeem(client, now: at(1)) }
    #expect(redeem(left.client(1000, isNew: true)))
    #expect(left.questions == min(bound, bound + beyond))
    // Where the one that has left was not found, the first place is taken, but is not gone.
    let count = bookings.count
    #expect(redeem(left.client(1)))
    #expect(bookings.count == (beyond > 0 ? count : count - 1))
  }

  /// Promises a place after a second.
  private func bookOne(_ bookings: inout Bookings, _ client: Bookings.Identity) {
    _ = bookings.book(
      client, places: .init(sequences: 1, steps: 1), room: .init(sequences: .max, steps: .max),
      steps: 1, earliest: 0, stepsPerSecond: .infinity, now: start)
  }

  /// Connections that have ended.
  private final class Gone: Sendable {
    private let state: Mutex<(numbers: Set<UInt64>, questions: Int)>

    init(_ numbers: Set<UInt64>) { state = Mutex((numbers, 0)) }

    var questions: Int { state.withLock(\.questions) }

    func add(_ number: UInt64) { state.withLock { _ = $0.numbers.insert(number) } }

    func client(_ connection: UInt64, isNew: Bool = false) -> Bookings.Identity {
      .init(request: 7, connection: connection, mayHaveReconnected: isNew) { [self] in
        state.withLock {
          $0.questions += 1
          return $0.numbers.contains(connection)
        }
      }
    }
  }
}
