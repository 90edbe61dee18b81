// Names of things: 16-byte trace ids, 8-byte span ids, tenants.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace larder {

// The bytes as OTLP carries them; ordered bytewise.
struct TraceId {
  std::array<uint8_t, 16> bytes{};

  bool is_zero() const { return *this == TraceId{}; }
  std::string_view view() const { return {reinterpret_cast<const char*>(bytes.data()), 16}; }
  // REQUIRES: 16 bytes.
  static TraceId From(std::string_view from) {
    TraceId id;
    std::memcpy(id.bytes.data(), from.data(), 16);
    return id;
  }
  friend bool operator==(const TraceId&, const TraceId&) = default;
  friend auto operator<=>(const TraceId&, const TraceId&) = default;
};

// All zero means "none" (a root's parent).
struct SpanId {
  std::array<uint8_t, 8> bytes{};

  bool is_zero() const { return *this == SpanId{}; }
  std::string_view view() const { return {reinterpret_cast<const char*>(bytes.data()), 8}; }
  // REQUIRES: 8 bytes.
  static SpanId From(std::string_view from) {
    SpanId id;
    std::memcpy(id.bytes.data(), from.data(), 8);
    return id;
  }
  friend bool operator==(const SpanId&, const SpanId&) = default;
  friend auto operator<=>(const SpanId&, const SpanId&) = default;
};

// A number given to a tenant's name by the catalog; leads every key. 0 is the tenant of a store
// without tenants. Each tenant has two data sets, which see nothing of each other: its spans, and
// under the same number with the highest bit its archive.
using TenantId = uint32_t;
inline constexpr TenantId kArchiveBit = 1u << 31;
// No tenant has it: asking for its spans finds none.
inline constexpr TenantId kNoTenant = kArchiveBit - 1;
constexpr TenantId ArchiveOf(TenantId tenant) { return tenant | kArchiveBit; }
constexpr TenantId OwnerOf(TenantId tenant) { return tenant & ~kArchiveBit; }
constexpr bool IsArchive(TenantId tenant) { return (tenant & kArchiveBit) != 0; }

// Where an index looks a trace up: a hash, since trace ids need not be random. Part of the format.
uint64_t TraceIdHash(const TraceId& id);

// For std::unordered_set and _map.
struct TraceIdHasher {
  size_t operator()(const TraceId& id) const { return static_cast<size_t>(TraceIdHash(id)); }
};

}  // namespace larder
