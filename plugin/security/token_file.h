// The bearer tokens that are let in: a file with one token a line. Several lines let a token be
// replaced without a gap: add the new one, change the clients, remove the old one.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "plugin/security/file_watch.h"
#include "storage/base/clock.h"
#include "storage/base/mutex.h"
#include "storage/base/status.h"

namespace larder {

// Thread-safe. Keeps digests (SHA-256), not tokens.
class TokenFile {
 public:
  // kInvalidArgument when the file cannot be read, holds no token, or a token that no header can
  // carry (blanks, control bytes). `clock` must outlive this.
  static Result<std::unique_ptr<TokenFile>> Open(const std::string& path,
                                                 Clock* clock = &Clock::System());

  // Compares in a time that does not depend on what is presented, but for its length. The file is
  // looked at once a second at most; one that has become unreadable leaves the tokens as they
  // were, which is logged.
  bool Accepts(std::string_view token);

 private:
  using Digest = std::array<unsigned char, 32>;
  using Digests = std::vector<Digest>;

  TokenFile(const std::string& path, Clock* clock);
  static Result<Digests> Read(const std::string& path);
  static Digest DigestOf(std::string_view token);
  std::shared_ptr<const Digests> Current();

  const std::string path_;
  Clock* const clock_;
  std::atomic<uint64_t> next_look_ns_{0};
  Mutex mu_;
  FileWatch watch_ GUARDED_BY(mu_);
  std::shared_ptr<const Digests> digests_ GUARDED_BY(mu_);
};

}  // namespace larder
