import Testing

@testable import HTTPCore

@Suite struct AuthorityTests {
  @Test(arguments: [
    "x", "localhost:8080", "a:", "a.b-c_d~", "127.0.0.1:1", "a%2Fb:1", "!$&'()*+,;=",
    "[::1]", "[::1]:80", "[::]:", "[2001:DB8::a]", "[::ffff:127.0.0.1]:1",
  ])
  func takes(_ text: String) {
    let isValid = Authority.isValid(text.utf8.span)
    #expect(isValid)
  }

  @Test(arguments: [
    "", ":80", ":", "localhost:x", "a:1:2", "a:-1", "a: 1", "[::1", "[::1]x", "[::1]]", "[::1]:x",
    "[]", "[:]",
    "[1]", "[::g]", "[::1]80", "::1", "a]", "a[::1]", "a%", "a%2", "a%2g", "u@a", "a/b", "a b",
    "a,b:c", "\u{e9}", "a\u{0}", "[",
  ])
  func refuses(_ text: String) {
    let isValid = Authority.isValid(text.utf8.span)
    #expect(!isValid)
  }
}
