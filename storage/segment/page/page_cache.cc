#include "storage/segment/page/page_cache.h"

#include <array>
#include <atomic>
#include <list>
#include <unordered_map>
#include <utility>
#include <vector>

#include "storage/base/mutex.h"
#include "storage/segment/page/made_pages.h"

namespace larder {
namespace {

// Threads that ask for different pages rarely meet on a lock.
constexpr size_t kShards = 16;

struct Key {
  uint64_t owner = 0;
  PageKey page;
  friend bool operator==(const Key&, const Key&) = default;
};

struct KeyHash {
  size_t operator()(const Key& key) const {
    uint64_t hash = key.owner * 0x9e3779b97f4a7c15;
    hash ^= (uint64_t{key.page.column} << 32 | key.page.page) * 0xc2b2ae3d27d4eb4f;
    hash ^= static_cast<uint64_t>(key.page.section) * 0x165667b19e3779f9;
    hash ^= hash >> 29;
    return static_cast<size_t>(hash * 0xff51afd7ed558ccd >> 16);
  }
};

// Whether a page is one of those that others do not push out.
bool IsLasting(const Key& key) { return key.page.section >= kMadeLasting; }
constexpr uint64_t kLastingOneIn = 4;  // of the capacity

struct Entry {
  Key key;
  std::shared_ptr<const CachedPage> page;
  uint64_t bytes = 0;
};

// What an entry costs beside the page itself: list and map nodes, roughly.
constexpr uint64_t kEntryOverheadBytes = 160;

// Pages by recency, the last used one in front.
struct ByUse {
  std::list<Entry> entries;
  uint64_t bytes = 0;
};

class Shard {
 public:
  std::shared_ptr<const CachedPage> Find(const Key& key) EXCLUDES(mu_) {
    MutexLock lock(mu_);
    const auto found = by_key_.find(key);
    if (found == by_key_.end()) return nullptr;
    std::list<Entry>& entries = ListOf(key).entries;
    entries.splice(entries.begin(), entries, found->second);
    return found->second->page;
  }

  // Keeps the page that came first when two were loaded at once.
  std::shared_ptr<const CachedPage> Insert(const Key& key, std::shared_ptr<const CachedPage> page,
                                           uint64_t capacity) EXCLUDES(mu_) {
    std::vector<std::shared_ptr<const CachedPage>> evicted;  // freed outside the lock
    MutexLock lock(mu_);
    const auto found = by_key_.find(key);
    if (found != by_key_.end()) return found->second->page;
    const uint64_t bytes = page->memory_bytes() + kEntryOverheadBytes;
    if (bytes > capacity) return page;
    Evict(capacity - bytes, &evicted);
    ByUse& list = ListOf(key);
    list.entries.push_front({key, page, bytes});
    by_key_.emplace(key, list.entries.begin());
    list.bytes += bytes;
    return page;
  }

  void Shrink(uint64_t capacity) EXCLUDES(mu_) {
    std::vector<std::shared_ptr<const CachedPage>> evicted;
    MutexLock lock(mu_);
    Evict(capacity, &evicted);
  }

  void Erase(uint64_t owner) EXCLUDES(mu_) {
    std::vector<std::shared_ptr<const CachedPage>> evicted;
    MutexLock lock(mu_);
    for (ByUse* const list : {&passing_, &lasting_}) {
      for (auto entry = list->entries.begin(); entry != list->entries.end();) {
        const auto next = std::next(entry);
        if (entry->key.owner == owner) Remove(list, entry, &evicted);
        entry = next;
      }
    }
  }

  uint64_t bytes() EXCLUDES(mu_) {
    MutexLock lock(mu_);
    return passing_.bytes + lasting_.bytes;
  }

 private:
  void Evict(uint64_t capacity, std::vector<std::shared_ptr<const CachedPage>>* evicted)
      REQUIRES(mu_) {
    while (passing_.bytes + lasting_.bytes > capacity) {
      const bool is_over_its_share = lasting_.bytes > capacity / kLastingOneIn;
      ByUse* const list = passing_.entries.empty() || is_over_its_share ? &lasting_ : &passing_;
      Remove(list, std::prev(list->entries.end()), evicted);
    }
  }

  void Remove(ByUse* list, std::list<Entry>::iterator entry,
              std::vector<std::shared_ptr<const CachedPage>>* evicted) REQUIRES(mu_) {
    list->bytes -= entry->bytes;
    evicted->push_back(std::move(entry->page));
    by_key_.erase(entry->key);
    list->entries.erase(entry);
  }

  ByUse& ListOf(const Key& key) REQUIRES(mu_) { return IsLasting(key) ? lasting_ : passing_; }

  Mutex mu_;
  ByUse passing_ GUARDED_BY(mu_);
  ByUse lasting_ GUARDED_BY(mu_);
  std::unordered_map<Key, std::list<Entry>::iterator, KeyHash> by_key_ GUARDED_BY(mu_);
};

}  // namespace

class PageCache::Impl {
 public:
  explicit Impl(uint64_t capacity) : shard_capacity(capacity / kShards) {}

  Shard& ShardOf(const Key& key) { return shards[KeyHash()(key) % kShards]; }

  std::array<Shard, kShards> shards;
  std::atomic<uint64_t> shard_capacity;
  std::atomic<uint64_t> next_owner{1};
  std::atomic<uint64_t> hits{0};
  std::atomic<uint64_t> misses{0};
};

PageCache::PageCache(uint64_t capacity_bytes) : impl_(std::make_unique<Impl>(capacity_bytes)) {}
PageCache::~PageCache() = default;

Result<std::shared_ptr<const CachedPage>> PageCache::Get(uint64_t owner, PageKey key,
                                                         const Loader& load) {
  const Key full{owner, key};
  Shard& shard = impl_->ShardOf(full);
  if (std::shared_ptr<const CachedPage> page = shard.Find(full)) {
    impl_->hits.fetch_add(1, std::memory_order_relaxed);
    return page;
  }
  impl_->misses.fetch_add(1, std::memory_order_relaxed);
  LARDER_ASSIGN_OR_RETURN(std::shared_ptr<const CachedPage> page, load());
  return shard.Insert(full, std::move(page), impl_->shard_capacity.load(std::memory_order_relaxed));
}

uint64_t PageCache::NewOwner() { return impl_->next_owner.fetch_add(1, std::memory_order_relaxed); }

void PageCache::Erase(uint64_t owner) {
  for (Shard& shard : impl_->shards) shard.Erase(owner);
}

void PageCache::set_capacity_bytes(uint64_t capacity_bytes) {
  impl_->shard_capacity.store(capacity_bytes / kShards, std::memory_order_relaxed);
  for (Shard& shard : impl_->shards) shard.Shrink(capacity_bytes / kShards);
}

uint64_t PageCache::memory_bytes() const {
  uint64_t bytes = 0;
  for (Shard& shard : impl_->shards) bytes += shard.bytes();
  return bytes;
}

uint64_t PageCache::hits() const { return impl_->hits.load(std::memory_order_relaxed); }
uint64_t PageCache::misses() const { return impl_->misses.load(std::memory_order_relaxed); }

}  // namespace larder
