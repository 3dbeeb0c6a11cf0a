"""What files know of each host."""
