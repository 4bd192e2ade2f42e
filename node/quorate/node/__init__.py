"""Everything that touches the world: the daemon, the mesh, the chain, the journal, the tools."""
