#include "storage/query/spans/span_rows.h"

#include <algorithm>
#include <numeric>
#include <tuple>

#include "storage/segment/source/span_source.h"

namespace larder {
namespace {

// Rows of one source, each with the number of its place.
class Visitor : public SpanSource::RowVisitor {
 public:
  Visitor(const std::vector<size_t>& numbers, size_t first, const PlaceVisitor& visit)
      : numbers_(numbers), next_(first), visit_(visit) {}

  bool Visit(uint32_t /*row*/, std::string_view resource_envelope, std::string_view scope_envelope,
             std::string_view span) override {
    stopped_ = !visit_(numbers_[next_++], resource_envelope, scope_envelope, span);
    return !stopped_;
  }
  size_t next() const { return next_; }
  bool stopped() const { return stopped_; }

 private:
  const std::vector<size_t>& numbers_;
  size_t next_;
  const PlaceVisitor& visit_;
  bool stopped_ = false;
};

}  // namespace

Status VisitPlaces(const View& view, const std::vector<SpanPlace>& places, QueryContext* context,
                   const PlaceVisitor& visit) {
  std::vector<size_t> numbers(places.size());
  std::iota(numbers.begin(), numbers.end(), size_t{0});
  std::sort(numbers.begin(), numbers.end(), [&](size_t a, size_t b) {
    return std::tie(places[a].entry, places[a].row) < std::tie(places[b].entry, places[b].row);
  });
  std::vector<uint32_t> rows;
  for (size_t first = 0; first < numbers.size();) {
    LARDER_RETURN_IF_ERROR(context->Check());
    const SourceEntry& entry = view.entries[places[numbers[first]].entry];
    rows.clear();
    size_t last = first;
    for (; last < numbers.size() && places[numbers[last]].entry == places[numbers[first]].entry;
         ++last) {
      rows.push_back(places[numbers[last]].row);
    }
    Visitor visitor(numbers, first, visit);
    LARDER_ASSIGN_OR_RETURN(const bool read,
                            context->Read(entry.name, entry.source->EncodeRows(rows, &visitor)));
    if (visitor.stopped()) break;
    // The row at which a page turned out to be broken is lost; the next one may lie on another.
    first = read ? last : visitor.next() + 1;
  }
  return Status::Ok();
}

}  // namespace larder
