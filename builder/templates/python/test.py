"""The procedures are functions; `python3 -m unittest` tests them as such."""

import unittest

from @name@ import estimate_pi, histogram, mean


class Test(unittest.TestCase):
    def test_mean(self):
        self.assertEqual(mean([1, 2, 3]), 2)
        with self.assertRaisesRegex(ValueError, "empty"):
            mean([])

    def test_histogram(self):
        self.assertEqual(histogram([0, 1, 9, 10], bins=2), [2, 2])

    def test_estimate_pi(self):
        self.assertAlmostEqual(estimate_pi(20_000), 3.14, delta=0.2)


if __name__ == "__main__":
    unittest.main()
