import Scheduling
import Testing

@testable import API

@Suite struct PrometheusTextTests {
  @Test func writesFamilies() {
    var page = PrometheusText()
    page.family("a_total", .counter, help: "As.")
    page.sample([("name", "x\"\\\n"), ("b", "")], value: 3)
    page.family("b", .gauge, help: "Bs.")
    page.sample(value: 0.5)
    page.sample(value: Double.infinity)
    #expect(
      page.text == """
        # HELP a_total As.
        # TYPE a_total counter
        a_total{name="x\\"\\\\\\n",b=""} 3
        # HELP b Bs.
        # TYPE b gauge
        b 0.5
        b +Inf

        """)
  }

  @Test func bucketsAreCumulative() {
    var page = PrometheusText()
    page.family("h", .histogram, help: "Hs.")
    page.histogram(
      [("m", "x")],
      HistogramSnapshot(upperBounds: [0.1, 2], counts: [3, 0, 4], sum: 12.5))
    #expect(
      page.text == """
        # HELP h Hs.
        # TYPE h histogram
        h_bucket{m="x",le="0.1"} 3
        h_bucket{m="x",le="2.0"} 3
        h_bucket{m="x",le="+Inf"} 7
        h_sum{m="x"} 12.5
        h_count{m="x"} 7

        """)
  }
}
