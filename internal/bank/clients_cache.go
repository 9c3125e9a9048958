package bank

import "sync"

// clientCache keeps clients in memory: every call reads one. A client is dropped from it when it changes.
type clientCache struct {
	known   sync.Map     // client id → storedClient
	used    sync.Map     // client id → time.Time of the last call
	reading sync.RWMutex // read-locked while a client is read and kept, so that a drop waits and removes what was read before it
}

func (c *clientCache) get(id string, read func() (storedClient, error)) (storedClient, error) {
	if known, ok := c.known.Load(id); ok {
		return known.(storedClient), nil
	}
	c.reading.RLock()
	defer c.reading.RUnlock()
	stored, err := read()
	if err == nil {
		c.known.Store(id, stored)
	}
	return stored, err
}

func (c *clientCache) drop(id string) {
	c.reading.Lock()
	defer c.reading.Unlock()
	c.known.Delete(id)
}
