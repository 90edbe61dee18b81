#include "storage/base/status.h"

#include <gtest/gtest.h>

namespace larder {
namespace {

TEST(Status, OkHasNoMessage) {
  const Status ok;
  EXPECT_TRUE(ok.ok());
  EXPECT_EQ(ok.ToString(), "ok");
  EXPECT_TRUE(ok.With("somewhere").ok());
}

TEST(Status, ContextGoesInFront) {
  const Status status = Status::DataLoss("bad checksum").With("segment 42");
  EXPECT_EQ(status.code(), StatusCode::kDataLoss);
  EXPECT_EQ(status.ToString(), "data loss: segment 42: bad checksum");
}

TEST(Status, CopiesShareNothing) {
  Status first = Status::NotFound("a");
  const Status copy = first;
  first = Status::Ok();
  EXPECT_EQ(copy.message(), "a");
  EXPECT_TRUE(first.ok());
}

Result<int> Half(int value) {
  if (value % 2 != 0) return Status::InvalidArgument("odd");
  return value / 2;
}

Status Quarter(int value, int* quarter) {
  LARDER_ASSIGN_OR_RETURN(const int half, Half(value));
  LARDER_ASSIGN_OR_RETURN(*quarter, Half(half));
  return Status::Ok();
}

TEST(Result, MacrosStopAtTheFirstFailure) {
  int quarter = 0;
  EXPECT_TRUE(Quarter(8, &quarter).ok());
  EXPECT_EQ(quarter, 2);
  EXPECT_EQ(Quarter(6, &quarter).message(), "odd");
  EXPECT_EQ(quarter, 2);
}

}  // namespace
}  // namespace larder
