"""What a store holds, told to people: its sessions, and whether they keep the pattern."""
