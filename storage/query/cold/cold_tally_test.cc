#include "storage/query/cold/cold_tally.h"

#include <gtest/gtest.h>

namespace larder {
namespace {

TraceId Trace(uint8_t number) {
  TraceId id;
  id.bytes.fill(number);
  return id;
}

SpanId SpanOf(uint8_t number) {
  SpanId id;
  id.bytes.fill(number);
  return id;
}

TEST(ColdTally, CountsIdsOnceInEachSegment) {
  ColdTally tally;
  tally.Expect(Trace(1), {{41, 2}, {42, 1}});
  EXPECT_EQ(tally.CountOf(Trace(1))->found, 0u);
  EXPECT_EQ(tally.CountOf(Trace(1))->expected, 3u);
  for (int copies = 0; copies < 3; ++copies) tally.Note(41, Trace(1), SpanOf(1));
  tally.Note(41, Trace(2), SpanOf(2));
  tally.Note(43, Trace(1), SpanOf(2));
  EXPECT_EQ(tally.CountOf(Trace(1))->found, 1u);
  tally.Note(42, Trace(1), SpanOf(1));
  tally.Note(42, Trace(1), SpanOf(7));
  EXPECT_EQ(tally.CountOf(Trace(1))->found, 2u) << "no segment makes up for another";
  tally.Note(41, Trace(1), SpanOf(2));
  EXPECT_EQ(tally.CountOf(Trace(1))->found, 3u);
}

TEST(ColdTally, SaysNothingOfWhatNobodyCounted) {
  ColdTally tally;
  tally.Expect(Trace(1), {{41, 2}, {42, 0}});
  EXPECT_FALSE(tally.CountOf(Trace(1)).has_value());
}

}  // namespace
}  // namespace larder
