#include "plugin/security/token_file.h"

#include <algorithm>
#include <utility>

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "storage/base/log.h"

namespace larder {
namespace {

constexpr uint64_t kLookEveryNs = 1'000'000'000;

std::string_view Trimmed(std::string_view line) {
  constexpr std::string_view kBlanks = " \t\r";
  const size_t begin = line.find_first_not_of(kBlanks);
  if (begin == std::string_view::npos) return {};
  return line.substr(begin, line.find_last_not_of(kBlanks) - begin + 1);
}

bool FitsAHeader(std::string_view token) {
  return std::all_of(token.begin(), token.end(), [](char c) { return c > ' ' && c < '\x7f'; });
}

}  // namespace

TokenFile::TokenFile(const std::string& path, Clock* clock)
    : path_(path), clock_(clock), watch_({path}) {}

Result<std::unique_ptr<TokenFile>> TokenFile::Open(const std::string& path, Clock* clock) {
  auto file = std::unique_ptr<TokenFile>(new TokenFile(path, clock));
  const MutexLock lock(file->mu_);
  file->watch_.Changed();
  LARDER_ASSIGN_OR_RETURN(Digests digests, Read(path));
  file->digests_ = std::make_shared<const Digests>(std::move(digests));
  return file;
}

Result<TokenFile::Digests> TokenFile::Read(const std::string& path) {
  LARDER_ASSIGN_OR_RETURN(std::string text, ReadSecurityFile(path, "the token file", true));
  Digests digests;
  bool fits = true;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    const std::string_view token = Trimmed(std::string_view(text).substr(begin, end - begin));
    fits = fits && FitsAHeader(token);
    if (!token.empty()) digests.push_back(DigestOf(token));
    begin = end + 1;
  }
  OPENSSL_cleanse(text.data(), text.size());
  if (!fits) {
    return Status::InvalidArgument("the token file " + path +
                                   " has a token with a blank or a byte that is not printable "
                                   "ASCII; write one token a line");
  }
  if (digests.empty()) {
    return Status::InvalidArgument("the token file " + path +
                                   " holds no token; write one a line, for example by: openssl "
                                   "rand -hex 32");
  }
  return digests;
}

TokenFile::Digest TokenFile::DigestOf(std::string_view token) {
  Digest digest{};
  EVP_Digest(token.data(), token.size(), digest.data(), nullptr, EVP_sha256(), nullptr);
  return digest;
}

std::shared_ptr<const TokenFile::Digests> TokenFile::Current() {
  const uint64_t now_ns = clock_->MonotonicNanos();
  uint64_t next_look_ns = next_look_ns_.load(std::memory_order_relaxed);
  const bool is_due = now_ns >= next_look_ns &&
                      next_look_ns_.compare_exchange_strong(next_look_ns, now_ns + kLookEveryNs);
  const MutexLock lock(mu_);
  if (is_due && watch_.Changed()) {
    Result<Digests> read = Read(path_);
    if (read.ok()) {
      digests_ = std::make_shared<const Digests>(std::move(read).value());
    } else {
      Log(LogLevel::kError, "the tokens stay as they were: the token file cannot be read again",
          {{"why", read.status().message()}});
    }
  }
  return digests_;
}

bool TokenFile::Accepts(std::string_view token) {
  const std::shared_ptr<const Digests> digests = Current();
  const Digest presented = DigestOf(token);
  bool accepted = false;
  for (const Digest& digest : *digests) {
    // Every token is compared, whichever fits: the time says nothing.
    const bool equal = CRYPTO_memcmp(digest.data(), presented.data(), digest.size()) == 0;
    accepted = equal | accepted;
  }
  return accepted;
}

}  // namespace larder
