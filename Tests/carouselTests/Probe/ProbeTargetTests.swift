import Testing

@testable import carousel

@Suite struct ProbeTargetTests {
  @Test(arguments: [
    ("http://a", "a", "80", "/", "a"),
    ("http://a:81/readyz?x=1#y", "a", "81", "/readyz?x=1", "a:81"),
    ("HTTP://127.0.0.1:8080/", "127.0.0.1", "8080", "/", "127.0.0.1:8080"),
    ("http://[::1]:8080/livez", "::1", "8080", "/livez", "[::1]:8080"),
    ("http://[::1]", "::1", "80", "/", "[::1]"),
    ("http://a?q", "a", "80", "/?q", "a"),
    ("http://a:", "a", "80", "/", "a:"),
    ("https://a", "a", "443", "/", "a"),
    ("HTTPS://[::1]:8443/x", "::1", "8443", "/x", "[::1]:8443"),
  ])
  func taken(url: String, host: String, port: String, target: String, authority: String) throws {
    let parsed = try #require(ProbeTarget(url: url))
    #expect(parsed.host == host)
    #expect(parsed.port == port)
    #expect(parsed.target == target)
    #expect(parsed.authority == authority)
    #expect(parsed.isTLS == url.lowercased().hasPrefix("https:"))
  }

  @Test(arguments: [
    "", "a", "httpss://a", "ftp://a", "https://", "http://", "http:///x", "http://:80",
    "http://a:0", "http://a:65536",
    "http://a:x", "http://a:+1", "http://[::1", "http://[::1]x", "http://u@a", "http://a/\r\nX: y",
    "http://a/ b", "http://é",
  ])
  func refused(url: String) {
    #expect(ProbeTarget(url: url) == nil)
  }
}
